"""Blocks of a document as reportlab's flowables."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    Paragraph,
    Spacer,
)
from reportlab.platypus import (
    PageBreak as NewPage,
)
from reportlab.platypus import (
    Table as Grid,
)

from service.reports.documents.model import (
    BarChart,
    Block,
    Facts,
    Heading,
    KeyFigures,
    LineChart,
    Note,
    PageBreak,
    Table,
)
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.bars import bar_chart
from service.reports.documents.pdf.fonts import BOLD, REGULAR, text_width, wrapped
from service.reports.documents.pdf.lines import line_chart
from service.reports.documents.pdf.tables import table_flowables
from service.reports.documents.wording import cell_text, printable

LABEL_WIDTH = 92.0
FIGURE_SIZE = 15.0
MOST_KEPT = 260.0  # a heading stays with what follows it, up to this many points of it


def flowables(blocks: Sequence[Block]) -> list[Flowable]:
    """In order; a heading moves to the next page with the start of what it heads."""
    story: list[Flowable] = []
    for block in reversed(blocks):
        parts = _flowables(block)
        if isinstance(block, Heading):
            parts = [CondPageBreak(30 + min(_height(story), MOST_KEPT)), *parts]
        story = [*parts, *story]
    return story


def paragraph(text: str, style: object) -> Paragraph:
    """Plain text: `Paragraph` would read markup in it, and fetch what an `<img>` names."""
    return Paragraph(escape(printable(text)), style)


def _height(following: Sequence[Flowable]) -> float:
    return float(following[0].wrap(looks.WIDTH, looks.PAGE_HEIGHT)[1]) if following else 0.0


def _flowables(block: Block) -> list[Flowable]:
    match block:
        case Table():
            return table_flowables(block, looks.WIDTH)
        case Facts():
            return [_facts(block), Spacer(1, 10)]
        case KeyFigures():
            return [_key_figures(block), Spacer(1, 10)]
        case BarChart() | LineChart():
            return [Spacer(1, 9), *_chart(block)]
        case _:
            return _text(block)


def _chart(chart: BarChart | LineChart) -> list[Flowable]:
    """Nothing is drawn of nothing but zeros."""
    if not any(value for series in chart.series for value in series.values):
        return [paragraph(f"{chart.title}: nothing to show.", looks.NOTE)]
    if isinstance(chart, BarChart):
        return [bar_chart(chart, looks.WIDTH)]
    return [line_chart(chart, looks.WIDTH)]


def _text(block: Heading | Note | PageBreak) -> list[Flowable]:
    match block:
        case Heading():
            return [paragraph(block.text, looks.HEADING)]
        case Note():
            return [paragraph(block.text, looks.NOTE)]
        case PageBreak():
            return [NewPage()]


def _facts(facts: Facts) -> Flowable:
    look, room = looks.NORMAL, looks.WIDTH - LABEL_WIDTH - 2
    rows = [(label, wrapped(printable(text), REGULAR, 9, room)) for label, text in facts.rows]
    heights = [12.0 * (text.count("\n") + 1) + 2.5 for _, text in rows]
    style = [
        ("FONT", (0, 0), (-1, -1), REGULAR, 9, 12),
        ("TEXTCOLOR", (0, 0), (0, -1), looks.SOFT),
        ("TEXTCOLOR", (1, 0), (1, -1), looks.INK),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, -1), look.below),
    ]
    return Grid(rows, colWidths=[LABEL_WIDTH, room + 2], rowHeights=heights, style=style)


def _key_figures(block: KeyFigures) -> Flowable:
    width = looks.WIDTH / len(block.figures)
    values = [cell_text(kind, value) for _, kind, value in block.figures]
    widest = max(text_width(text, BOLD, FIGURE_SIZE) for text in values)
    size = FIGURE_SIZE * min(1.0, (width - 20) / widest)
    rows = [[label for label, _, _ in block.figures], values]
    style = [
        ("FONT", (0, 0), (-1, 0), REGULAR, 8, 10),
        ("FONT", (0, 1), (-1, 1), BOLD, size, size + 3),
        ("TEXTCOLOR", (0, 0), (-1, 0), looks.SOFT),
        ("TEXTCOLOR", (0, 1), (-1, 1), looks.ACCENT),
        ("BACKGROUND", (0, 0), (-1, -1), looks.PANEL),
        ("LINEBEFORE", (0, 0), (-1, -1), 2.5, looks.ACCENT),
        ("LEFTPADDING", (0, 0), (-1, -1), 10),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
    return Grid(rows, colWidths=[width] * len(values), rowHeights=[19, 27], style=style)
