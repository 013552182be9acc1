"""Where samples are shown: a terminal gets a live view, everything else gets plain lines."""

import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol
from uuid import UUID

from rich.console import Console
from rich.live import Live

from repositories.records import SelectGeneratedReport
from repositories.vocabulary import ReportStatus
from service.local.demo.figures import money
from service.local.demo.reports import period_text, state_text, type_name
from service.local.demo.sample import Sample
from service.local.demo.view import LEAST_COLUMNS, LEAST_ROWS, Cell, cells, open_line, render

Say = Callable[[str], None]
MONTH_EVERY = 5  # lines of numbers to a line of the physician's month
HIGHLIGHT_SECONDS = 1.5


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


class Highlights:
    """Compares each round of texts with the one before it; the first changes nothing."""

    def __init__(self, seconds: float = HIGHLIGHT_SECONDS) -> None:
        self._seconds = seconds
        self._texts: Mapping[Cell, str] = {}
        self._changed: dict[Cell, float] = {}

    def note(self, texts: Mapping[Cell, str], at: float) -> frozenset[Cell]:
        """The cells that have changed within the last seconds; `at` is the time, from any zero."""
        if self._texts:
            self._changed |= {c: at for c, text in texts.items() if self._texts.get(c) != text}
        self._texts = dict(texts)
        self._changed = {c: t for c, t in self._changed.items() if at - t < self._seconds}
        return frozenset(self._changed)


class LiveDisplay:
    """Takes the terminal's alternate screen; at the end prints the last figures to the main one."""

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
                for report in _newly_ended(self._last, ()):
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
        month = month_line(sample)
        if self._lines % MONTH_EVERY == 0 and month and month != self._month:
            self._month = month
            self._say(month)
            self._say(f"Waiting since the service: {open_line(sample.open_claims)}")
        for report in _newly_ended(sample, self._ended):
            self._ended.add(report.report_id)
            self._say(report_line(report))


def numbers_line(sample: Sample) -> str:
    counts = sample.counts
    return (
        f"{sample.doing}; {sample.per_second:,.0f}/s, lag {sum(sample.lag.values()):,},"
        f" applied {counts.applied:,}, duplicate {counts.duplicate:,}, stale {counts.stale:,},"
        f" dead-lettered {counts.dead_lettered:,}"
    )


def month_line(sample: Sample) -> str | None:
    """The newest month of the physician, once there is one."""
    if not sample.months:
        return None
    newest = sample.months[-1]
    return (
        f"{sample.physician}, {newest.month:%B %Y}: {newest.submitted:,} claims submitted,"
        f" {newest.paid:,} paid, revenue {money(newest.revenue)},"
        f" pending {money(newest.pending_amount)}, {newest.rejections.refused:,} rejected"
    )


def report_line(report: SelectGeneratedReport) -> str:
    """What became of it; for a failed one, why."""
    name = f"{type_name(report.report_type)} {report.format}, {period_text(report)}"
    why = f": {report.error_message}" if report.error_message else ""
    return f"Report {state_text(report)}{why}  {name}  {report.report_id}"


def _newly_ended(sample: Sample, known: Collection[UUID]) -> list[SelectGeneratedReport]:
    """Reports that are ready or have failed, the oldest first; not the known."""
    over = (ReportStatus.READY, ReportStatus.FAILED)
    ended = [report for report in reversed(sample.reports) if report.status in over]
    return [report for report in ended if report.report_id not in known]
