"""`claim-analytics`: the commands, each in a module of its own.

Only the module of the command that is asked for is loaded: renderers, ciphers, the demo and the
stack are a second's work and 50 MB, which the consumers of an instance can spare.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

# In the order of the help: each command's module, which holds a function or a typer.Typer of its
# name.
MODULES = {
    "demo": "service.cli.demo",
    "run": "service.cli.run",
    "migrate": "service.cli.migrate",
    "topics": "service.cli.topics",
    "publish": "service.cli.publish",
    "verify": "service.cli.verify",
    "replay": "service.cli.operations.replay",
    "rebuild": "service.cli.operations.rebuild",
    "refresh": "service.cli.operations.refresh",
    "offsets": "service.cli.operations.offsets",
    "settings": "service.cli.settings",
    "stack": "service.cli.stack",
    "report": "service.cli.report",
    "keys": "service.cli.keys",
    "erase": "service.cli.erase",
    "store": "service.cli.store",
    "dlq": "service.cli.operations.dlq",
    "receipt": "service.cli.operations.receipt",
    "doctor": "service.cli.operations.doctor",
    "actions": "service.cli.operations.actions",
    "retention": "service.cli.operations.retention",
}


def build_app(arguments: Sequence[str]) -> typer.Typer:
    """The app for a command line: with the command that it names, or with all for the help."""
    app = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,  # a traceback with the values of variables could show PHI
        context_settings={"help_option_names": ["-h", "--help"]},  # of every command below it too
    )
    app.callback()(claim_analytics)
    asked = [name for name in MODULES if arguments and name == arguments[0]]
    for name in asked or MODULES:
        command = getattr(import_module(MODULES[name]), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command()(command)
    return app


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"claim-analytics {version('claim-analytics')}")
        raise typer.Exit


def claim_analytics(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Keep a physician's billing figures right, from Kafka events, exactly once in effect.

    To see it work without any set-up:  claim-analytics demo

    Settings are environment variables; `claim-analytics settings` lists them.
    """
