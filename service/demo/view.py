"""The live view: pure functions from a sample to what rich can print, in so many columns and rows.

It is made for 80 by 24 and uses more where there is more.
"""

from collections.abc import Collection, Sequence
from datetime import date

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from repositories.records import SelectGeneratedReport
from service.demo.figures import MonthFigures
from service.demo.grid import Cell, Row, figure_rows, money, newest_top_codes
from service.demo.report_texts import state_text, type_name
from service.demo.sample import Counts, Sample
from service.demo.throughput import sparkline
from service.demo.upstream import Phase

LEAST_COLUMNS, LEAST_ROWS = 80, 24
CHANGED = "bold green"
NUMBER = "bold"
HINT = "Ctrl-C stops everything and removes it"
MOST_REPORTS = 6

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
    reports = sample.reports[:MOST_REPORTS]
    report_rows = -(-len(reports) // 2)  # two in a row
    height = rows - _SERVICE_ROWS - _FRAMES - (report_rows + 2 if reports else 0)
    return Group(
        Panel(_service(sample, spare), title=f"Claim Analytics demo: {doing(sample)}", height=7),
        Panel(
            _physician(months, changed, max(1, height)),
            title=f"{sample.physician}, by month of service",
            subtitle=HINT,
        ),
        *([_reports_panel(reports, sample.environment, columns)] if reports else []),
    )


def doing(sample: Sample) -> str:
    """What goes on, in a few words."""
    if sample.phase is Phase.LIVE:
        return f"live, {sample.published:,} events published"
    if sample.phase is Phase.PUBLISHED:
        return f"all {sample.published:,} events published"
    return f"{sample.published:,} of {sample.history:,} events published"


def _reports_panel(
    reports: Sequence[SelectGeneratedReport], environment: str, columns: int
) -> Panel:
    how = f"to fetch them, in another shell: . {environment}"
    fits = environment and len(how) + _PANEL_EDGES <= columns
    title = "reports, the newest first"
    return Panel(_reports(reports), title=title, subtitle=how if fits else None)


def _reports(reports: Sequence[SelectGeneratedReport]) -> Table:
    table = Table.grid(padding=(0, _GAP, 0, 0), expand=True)
    table.add_column(ratio=1, no_wrap=True)
    table.add_column(ratio=1, no_wrap=True)
    for pair in (reports[n : n + 2] for n in range(0, len(reports), 2)):
        table.add_row(*(_report(report) for report in pair))
    return table


def _report(report: SelectGeneratedReport) -> Text:
    return Text.assemble(f"{type_name(report.report_type):20}{report.format} ", state_text(report))


def _service(sample: Sample, spare: int) -> Table:
    """Three columns, each `spare` wider than it must be."""
    flow, counts, letters = (width + spare for width in (_FLOW, _COUNTS, _LETTERS))
    parts = Table.grid(padding=(0, 3, 0, 0))
    parts.add_row(
        _flow(sample, flow), _counts(sample.counts, counts), _letters(sample.counts, letters)
    )
    return parts


def _flow(sample: Sample, width: int) -> RenderableType:
    rate = Text.assemble((f"{sample.per_second:,.0f}", NUMBER), " events a second")
    line = Text(sparkline(list(sample.recent)[-width:]), style="cyan")
    lag = _pairs([(f"lag {topic}", count) for topic, count in sample.lag.items()], width)
    return Group(rate, line, "", lag)


def _counts(counts: Counts, width: int) -> Text:
    entries = [
        ("events read", counts.messages),
        ("applied", counts.applied),
        ("duplicate", counts.duplicate),
        ("stale", counts.stale),
        ("dead-lettered", counts.dead_lettered),
    ]
    return _pairs(entries, width)


def _letters(counts: Counts, width: int) -> Text:
    """Dead letters by reason, the most frequent first."""
    by_count = sorted(counts.dead_letters.items(), key=lambda entry: (-entry[1], entry[0]))
    return _pairs(by_count[:_SERVICE_ROWS], width)


def _pairs(entries: Sequence[tuple[str, int]], width: int) -> Text:
    """Names on the left, numbers on the right; where both do not fit the name is cut."""
    lines = [_pair(name, f"{count:,}", width) for name, count in entries]
    return Text("\n").join(lines)


def _pair(name: str, number: str, width: int) -> Text:
    room = width - len(number)
    return Text.assemble(name[: room - 1].ljust(room), (number, NUMBER))


def _physician(
    months: Sequence[MonthFigures], changed: Collection[Cell], height: int
) -> RenderableType:
    if not months:
        return Text("no claims yet", style="dim")
    both = Table.grid(padding=(0, _GAP, 0, 0))
    both.add_row(_figures(months, changed, height), _top_codes(months, changed, height))
    return both


def _figures(months: Sequence[MonthFigures], changed: Collection[Cell], height: int) -> Table:
    table = _table(_LABEL)
    for figures in months:
        table.add_column(f"{figures.month:%b %Y}", width=_MONTH, justify="right", no_wrap=True)
    for row in figure_rows(months)[:height]:
        table.add_row(row.label, *_row_texts(row, months, changed))
    return table


def _row_texts(row: Row, months: Sequence[MonthFigures], changed: Collection[Cell]) -> list[Text]:
    return [
        _text(text, (figures.month, row.label), changed)
        for figures, text in zip(months, row.texts, strict=True)
    ]


def _top_codes(months: Sequence[MonthFigures], changed: Collection[Cell], height: int) -> Table:
    month, codes = newest_top_codes(months)
    table = _table(_CODE, "top codes" if month else "")
    table.add_column(_top_title(month), width=_CODE_AMOUNT, justify="right", no_wrap=True)
    for code in codes[: min(height, _MOST_CODES)]:
        if month:
            amount = _text(money(code.amount), (month, code.hsc_code), changed)
            table.add_row(code.hsc_code, amount)
    return table


def _top_title(month: date | None) -> str:
    return f"{month:%b %Y}" if month else ""


def _table(label_width: int, head: str = "") -> Table:
    table = Table(box=None, padding=0, pad_edge=False, header_style="dim")
    table.add_column(head, width=label_width, no_wrap=True)
    return table


def _text(text: str, cell: Cell, changed: Collection[Cell]) -> Text:
    return Text(text, style=CHANGED if cell in changed else "")
