"""How far long work is: a bar with an estimate on a terminal, a line now and then elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

LINE_SECONDS = 5.0


class Progress:
    """On standard error, so that standard output is the result's alone. Gone at the end."""

    def __init__(self, what: str) -> None:
        """`what` is counted, such as "providers"."""
        self._what = what
        self._console = Console(stderr=True)
        self._next_line = time.monotonic() + LINE_SECONDS
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task(what, total=None)

    def tell(self, done: int, of: int) -> None:
        self._bar.update(self._task, completed=done, total=of)
        if not self._console.is_terminal and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_SECONDS
            self._console.print(f"{done:,} of {of:,} {self._what}", soft_wrap=True, highlight=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()
