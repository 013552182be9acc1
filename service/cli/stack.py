"""`claim-analytics stack`: Kafka and PostgreSQL without Docker, in the foreground."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer

from service.stack import Stack, StackError

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
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

        claim-analytics migrate

        claim-analytics topics

        claim-analytics run

    The exit code is 0 after Ctrl-C or SIGTERM, and 1 when something is
    missing or a server fails.
    """
    try:
        with _stop_on_signals(), Stack(progress=_say) as running:
            _show_environment(running) if print_env else _show_instructions(running)
            _watch(running)
    except KeyboardInterrupt:
        _say("Kafka and PostgreSQL are stopped, their data is removed.")
    except StackError as error:
        _say(str(error))
        raise typer.Exit(1) from error


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    previous = {number: signal.signal(number, _interrupt) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in previous.items():
            if signal.getsignal(number) is _interrupt:  # else ignored until this process ends
                signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """The first signal begins the stop; those that follow must not cut it short."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _say(message: str) -> None:
    typer.echo(message, err=True)


def _show_environment(running: Stack) -> None:
    lines = (f"{name}={value}" for name, value in running.environment().items())
    typer.echo("\n".join(lines))
    _say(f"Data and logs: {running.folder}. Ctrl-C stops both servers and removes them.")


def _show_instructions(running: Stack) -> None:
    exports = "\n".join(f"  export {n}='{v}'" for n, v in running.environment().items())
    typer.echo(
        f"{running.kafka.name} and {running.postgres.name} answer. In another shell:\n\n"
        f"{exports}\n\n"
        f"Data and logs: {running.folder}\n"
        "Ctrl-C stops both servers and removes them."
    )


def _watch(running: Stack) -> NoReturn:
    """Until a signal comes, or a server ends."""
    while True:
        running.check()
        time.sleep(CHECK_SECONDS)  # a signal ends it with an exception
