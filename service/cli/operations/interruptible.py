"""Commands that may be broken off, and then say what they did."""

from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import typer

from service.cli.common import complain, explained
from service.signals import Interruption

Result = TypeVar("Result")
INTERRUPTED = 130


def run_interruptible(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result | None:
    """Run it; None if Ctrl-C or SIGTERM cancelled it. Errors as in `run_async`."""
    try:
        with explained(), Interruption() as interruption:
            return interruption.run(work)
    except KeyboardInterrupt:  # before it began
        return None


def end_broken_off(hint: str) -> NoReturn:
    complain(f"Broken off. {hint}")
    raise typer.Exit(INTERRUPTED)
