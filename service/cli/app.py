"""`claim-analytics`: the commands, each in a module of its own."""

import typer

from service.cli.demo import demo
from service.cli.erase import erase
from service.cli.keys import keys
from service.cli.migrate import migrate
from service.cli.publish import publish
from service.cli.report import report
from service.cli.run import run
from service.cli.settings import settings
from service.cli.stack import stack
from service.cli.topics import topics
from service.cli.verify import verify

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with the values of variables could show PHI
    help="""Keep a physician's billing figures right, from Kafka events, exactly once in effect.

    To see it work without any set-up:  claim-analytics demo

    Settings are environment variables; `claim-analytics settings` lists them.""",
)
for command in (demo, run, migrate, topics, publish, verify, settings, stack):
    app.command()(command)
app.add_typer(report, name="report")
app.add_typer(keys, name="keys")
app.add_typer(erase, name="erase")
