"""The live view: pure functions from a sample to what rich can print, in so many columns and rows.

It is made for 80 by 24 and uses more where there is more.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from service.local.demo.figures import MonthFigures, money
from service.local.demo.open_claims import BRACKETS, OpenClaims
from service.local.demo.reports import state_text, type_name
from service.local.demo.sample import Sample

Cell = tuple[date, str]  # month, label of the row

LEAST_COLUMNS, LEAST_ROWS = 80, 24
CHANGED = "bold green"
NUMBER = "bold"
HINT = "Ctrl-C stops everything and removes it"
MOST_REPORTS = 6
BARS = "▁▂▃▄▅▆▇█"

_SERVICE_ROWS = 5
_FRAMES = 2 * 2 + 1  # two panels, and the head of the months
_FLOW, _COUNTS, _LETTERS = 26, 21, 23
_LABEL, _MONTH, _CODE, _CODE_AMOUNT = 18, 12, 9, 11
_GAP = 2
_PANEL_EDGES = 6  # that rich puts around a title
_MOST_CODES = 10


def render(sample: Sample, changed: Collection[Cell], columns: int, rows: int) -> RenderableType:
    """The whole view; `changed` are the cells of the months that are highlighted."""
    for_months = (columns - 4 - _LABEL - _GAP - _CODE - _CODE_AMOUNT) // _MONTH
    months = sample.months[-max(1, for_months) :]
    spare = min(8, (columns - LEAST_COLUMNS) // 3)
    shown = min(len(sample.reports), MOST_REPORTS)
    report_rows = -(-shown // 2) + 2 if shown else 0  # two in a row, and the frame
    height = max(1, rows - _SERVICE_ROWS - _FRAMES - report_rows)
    return Group(
        Panel(
            _service(sample, spare),
            title=f"Claim Analytics demo: {sample.doing}",
            subtitle=f"to look at it: {sample.console}" if sample.console else None,
            height=7,
        ),
        Panel(
            _physician(months, sample.open_claims, changed, height),
            title=f"{sample.physician}, by month of service",
            subtitle=HINT,
        ),
        *([_reports(sample, columns)] if shown else []),
    )


def cells(months: Sequence[MonthFigures]) -> dict[Cell, str]:
    """Every text of the months by its place, to find out what has changed."""
    found = {
        (figures.month, label): text
        for label, texts in _figure_rows(months)
        for figures, text in zip(months, texts, strict=True)
    }
    for figures in months:
        found |= {(figures.month, code.hsc_code): money(code.amount) for code in figures.top_codes}
    return found


def sparkline(rates: Sequence[float]) -> str:
    """A bar for each rate, the highest at full height."""
    highest = max(rates, default=0.0) or 1.0
    return "".join(BARS[round(rate / highest * (len(BARS) - 1))] for rate in rates)


def _service(sample: Sample, spare: int) -> Table:
    """Throughput and lag, counts, dead letters: each column `spare` wider than it must be."""
    flow, width_of_counts, letters = (width + spare for width in (_FLOW, _COUNTS, _LETTERS))
    rate = Text.assemble((f"{sample.per_second:,.0f}", NUMBER), " events a second")
    line = Text(sparkline(sample.recent[-flow:]), style="cyan")
    lag = _pairs(_lag(sample.lag), flow)
    counts = sample.counts
    outcomes = [
        ("events read", counts.messages),
        ("applied", counts.applied),
        ("duplicate", counts.duplicate),
        ("stale", counts.stale),
        ("dead-lettered", counts.dead_lettered),
    ]
    by_count = sorted(counts.dead_letters.items(), key=lambda each: (-each[1], each[0]))
    parts = Table.grid(padding=(0, 3, 0, 0))
    parts.add_row(
        Group(rate, line, "", lag),
        _pairs(outcomes, width_of_counts),
        _pairs(by_count[:_SERVICE_ROWS], letters),
    )
    return parts


def _lag(lag: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Of all topics, and of the one that is farthest behind."""
    yield "lag", sum(lag.values())
    if topics := sorted(lag, key=lambda topic: (-lag[topic], topic))[:1]:
        yield topics[0], lag[topics[0]]


def _pairs(entries: Iterable[tuple[str, int]], width: int) -> Text:
    """Names on the left, numbers on the right; where both do not fit the name is cut."""
    lines = []
    for name, count in entries:
        number = f"{count:,}"
        room = width - len(number)
        lines.append(Text.assemble(name[: room - 1].ljust(room), (number, NUMBER)))
    return Text("\n").join(lines)


def _physician(
    months: Sequence[MonthFigures],
    open_claims: OpenClaims,
    changed: Collection[Cell],
    height: int,
) -> RenderableType:
    """The months, and in the last row what is open."""
    if not months:
        return Text("no claims yet", style="dim")

    def text(shown: str, month: date, label: str) -> Text:
        return Text(shown, style=CHANGED if (month, label) in changed else "")

    figures = _table("", _LABEL)
    for each in months:
        figures.add_column(f"{each.month:%b %Y}", width=_MONTH, justify="right", no_wrap=True)
    height -= 1
    for label, texts in _figure_rows(months)[:height]:
        pairs = zip(months, texts, strict=True)
        figures.add_row(label, *(text(shown, each.month, label) for each, shown in pairs))

    newest = next((each for each in reversed(months) if each.top_codes), months[-1])
    top = newest.top_codes[: min(height, _MOST_CODES)]
    codes = _table("top codes" if top else "", _CODE)
    head = f"{newest.month:%b %Y}" if top else ""
    codes.add_column(head, width=_CODE_AMOUNT, justify="right", no_wrap=True)
    for code in top:
        codes.add_row(code.hsc_code, text(money(code.amount), newest.month, code.hsc_code))

    both = Table.grid(padding=(0, _GAP, 0, 0))
    both.add_row(figures, codes)
    is_open = Text(open_line(open_claims), no_wrap=True, overflow="crop")
    return Group(both, is_open)


def open_line(open_claims: OpenClaims) -> str:
    """Such as `0–30 days: 48, 31–60: 12, 61–90: 3, over 90: 1; due in a week: 2; stale: 1`."""
    ages = zip((f"{BRACKETS[0]} days", *BRACKETS[1:]), open_claims.by_age, strict=True)
    counts = ", ".join(f"{bracket}: {waiting.count:,}" for bracket, waiting in ages)
    due, stale = open_claims.due.count, open_claims.stale.count
    return f"{counts}; due in a week: {due:,}; stale: {stale:,}"


def _figure_rows(months: Sequence[MonthFigures]) -> list[tuple[str, list[str]]]:
    """Each with its texts: figures that every month has, then those by arrangement and location."""

    def amount(of: Decimal | None) -> str:
        return "" if of is None else money(of)

    arrangements = sorted({ba for m in months for ba in m.by_ba})
    locations = sorted({location for m in months for location in m.by_location})
    return [
        ("claims submitted", [f"{m.submitted:,}" for m in months]),
        ("claims paid", [f"{m.paid:,}" for m in months]),
        ("revenue", [money(m.revenue) for m in months]),
        ("average fee", [money(m.average_fee) for m in months]),
        ("claims pending", [f"{m.pending:,}" for m in months]),
        ("pending", [money(m.pending_amount) for m in months]),
        ("days to payment", [f"{m.days_to_payment}" for m in months]),
        ("rejected", [f"{m.rejections.refused:,}" for m in months]),
        ("rejection rate", [f"{m.rejections.rate} %" for m in months]),
        *((f"BA {ba}", [amount(m.by_ba.get(ba)) for m in months]) for ba in arrangements),
        *(
            (f"location {where[:8]}", [amount(m.by_location.get(where)) for m in months])
            for where in locations
        ),
    ]


def _table(head: str, label_width: int) -> Table:
    table = Table(box=None, padding=0, pad_edge=False, header_style="dim")
    table.add_column(head, width=label_width, no_wrap=True)
    return table


def _reports(sample: Sample, columns: int) -> Panel:
    table = Table.grid(padding=(0, _GAP, 0, 0), expand=True)
    table.add_column(ratio=1, no_wrap=True)
    table.add_column(ratio=1, no_wrap=True)
    texts = [
        Text.assemble(f"{type_name(each.report_type):20}{each.format} ", state_text(each))
        for each in sample.reports[:MOST_REPORTS]
    ]
    for n in range(0, len(texts), 2):
        table.add_row(*texts[n : n + 2])
    how = f"to fetch them, in another shell: . {sample.environment}"
    fits = sample.environment and len(how) + _PANEL_EDGES <= columns
    return Panel(table, title="reports, the newest first", subtitle=how if fits else None)
