"""`claim-analytics stack`: Kafka and PostgreSQL without Docker, in the foreground."""

import time
from typing import Annotated

import typer

from service.cli.common import Exit, complain, fail
from service.local.stack import Stack, StackError
from service.signals import Interruption

CHECK_SECONDS = 0.5


def stack(
    print_env: Annotated[
        bool,
        typer.Option(
            "--print-env",
            help="Print the two settings as NAME=value lines, alone on standard output and as "
            "soon as both servers answer, for scripts. Everything else goes to standard error.",
        ),
    ] = False,
) -> None:
    """Start a real Kafka broker and a real PostgreSQL, without Docker.

    Both are new and empty, and listen on free ports of the loopback
    interface. The command stays in the foreground. Ctrl-C or SIGTERM
    stops both and removes their data and logs, which are in a temporary
    folder whose name it prints.

    Kafka needs Java 17 or newer and, the first time, Maven, which fetches
    its jars (45 MB) into ~/.cache/claim-analytics. PostgreSQL comes with
    the extra `stack` of this package.

    In one shell:

        claim-analytics stack

    In another, paste the two `export` lines that it prints, then:

    \b
        claim-analytics migrate
        claim-analytics topics
        claim-analytics run

    The exit code is 0 after Ctrl-C or SIGTERM, and 1 when something is
    missing or a server fails.
    """
    try:
        with Interruption(), Stack(progress=complain) as running:
            _show_environment(running) if print_env else _show_instructions(running)
            while True:
                running.check()
                time.sleep(CHECK_SECONDS)  # a signal ends it with an exception
    except KeyboardInterrupt:
        complain("Kafka and PostgreSQL are stopped, their data is removed.")
    except StackError as error:
        fail(str(error), Exit.FAILED)


def _show_environment(running: Stack) -> None:
    lines = (f"{name}={value}" for name, value in running.environment().items())
    typer.echo("\n".join(lines))
    complain(f"Data and logs: {running.folder}. Ctrl-C stops both servers and removes them.")


def _show_instructions(running: Stack) -> None:
    exports = "\n".join(f"  export {n}='{v}'" for n, v in running.environment().items())
    typer.echo(
        f"{running.kafka.name} and {running.postgres.name} answer. In another shell:\n\n"
        f"{exports}\n\n"
        f"Data and logs: {running.folder}\n"
        "Ctrl-C stops both servers and removes them."
    )
