"""Where samples are shown: a terminal gets a live view, everything else gets plain lines."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol
from uuid import UUID

from rich.console import Console
from rich.live import Live

from service.demo.grid import cells
from service.demo.highlights import Highlights
from service.demo.plain import month_line, newly_ended, numbers_line
from service.demo.report_texts import report_line
from service.demo.sample import Sample
from service.demo.view import LEAST_COLUMNS, LEAST_ROWS, render

Say = Callable[[str], None]
MONTH_EVERY = 5  # lines of numbers to a line of the physician's month


class Display(Protocol):
    """Shows samples, `interval` seconds apart, while `shown()` is entered."""

    interval: float

    def shown(self) -> AbstractContextManager[object]: ...
    def show(self, sample: Sample) -> None: ...


def is_live(console: Console) -> bool:
    """Whether there is a terminal that is large and able enough for the live view."""
    fits = console.width >= LEAST_COLUMNS and console.height >= LEAST_ROWS
    return sys.stdout.isatty() and console.is_interactive and fits


def display_for(console: Console, say: Say) -> Display:
    return LiveDisplay(console, say) if is_live(console) else PlainDisplay(say)


class LiveDisplay:
    """Takes the terminal's other screen, and says at the end what was last to be seen there."""

    interval = 0.25

    def __init__(self, console: Console, say: Say) -> None:
        self._console = console
        self._say = say
        # No thread of its own: it draws when there is something new.
        self._live = Live(console=console, screen=True, auto_refresh=False)
        self._highlights = Highlights()
        self._last: Sample | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        try:
            with self._live:
                yield
        finally:
            if self._last:
                self._say(numbers_line(self._last))
                for report in newly_ended(self._last, ()):
                    self._say(report_line(report))

    def show(self, sample: Sample) -> None:
        self._last = sample
        changed = self._highlights.note(cells(sample.months), sample.seconds)
        view = render(sample, changed, self._console.width, self._console.height)
        self._live.update(view, refresh=True)


class PlainDisplay:
    """Lines, for files, pipes and terminals that cannot move their cursor."""

    interval = 1.0

    def __init__(self, say: Say) -> None:
        self._say = say
        self._lines = 0
        self._month: str | None = None
        self._ended: set[UUID] = set()

    def shown(self) -> AbstractContextManager[object]:
        return nullcontext()

    def show(self, sample: Sample) -> None:
        self._say(numbers_line(sample))
        self._lines += 1
        if self._lines % MONTH_EVERY == 0 and (month := month_line(sample)) != self._month:
            self._month = month
            self._say(month or "")
        for report in newly_ended(sample, self._ended):
            self._ended.add(report.report_id)
            self._say(report_line(report))
