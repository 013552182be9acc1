"""Blocks of a document as reportlab's flowables."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from reportlab import platypus
from reportlab.platypus import Flowable, Paragraph, Spacer

from service.reports.documents import model as doc
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.charts import bar_chart, line_chart
from service.reports.documents.pdf.fonts import BOLD, REGULAR, text_width, wrapped
from service.reports.documents.pdf.tables import table_flowables
from service.reports.documents.wording import cell_text, printable

LABEL_WIDTH = 92.0
FIGURE_SIZE = 15.0
MOST_KEPT = 260.0  # a heading stays with what follows it, up to this many points of it


def flowables(blocks: Sequence[doc.Block]) -> list[Flowable]:
    """In order; a heading moves to the next page with the start of what it heads."""
    story: list[Flowable] = []
    for block in reversed(blocks):
        parts = _flowables(block)
        if isinstance(block, doc.Heading):
            parts = [platypus.CondPageBreak(30 + min(_height(story), MOST_KEPT)), *parts]
        story = [*parts, *story]
    return _without_vain_breaks(story)


def _without_vain_breaks(story: list[Flowable]) -> list[Flowable]:
    """Without the page breaks before which a page would hold a mere remainder of what came."""
    breaks = [i for i, part in enumerate(story) if isinstance(part, platypus.PageBreak)]
    vain, start, used = set(), 0, looks.TITLE.leading + looks.TITLE.spaceAfter
    for end in breaks:
        parts = story[start:end]
        used += sum(_height([p]) + p.getSpaceBefore() + p.getSpaceAfter() for p in parts)
        if used > looks.HEIGHT:
            vain.add(end)
        start, used = end + 1, 0.0
    return [part for i, part in enumerate(story) if i not in vain]


def paragraph(text: str, style: object) -> Paragraph:
    """Plain text: `Paragraph` would read markup in it, and fetch what an `<img>` names."""
    return Paragraph(escape(printable(text)), style)


def _height(following: Sequence[Flowable]) -> float:
    return float(following[0].wrap(looks.WIDTH, looks.PAGE_HEIGHT)[1]) if following else 0.0


def _flowables(block: doc.Block) -> list[Flowable]:
    match block:
        case doc.Table():
            return table_flowables(block, looks.WIDTH)
        case doc.Facts():
            return [_facts(block), Spacer(1, 10)]
        case doc.KeyFigures():
            return [_key_figures(block), Spacer(1, 10)]
        case doc.BarChart() | doc.LineChart():
            return [Spacer(1, 9), *_chart(block)]
        case _:
            return _text(block)


def _chart(chart: doc.BarChart | doc.LineChart) -> list[Flowable]:
    """Nothing is drawn of nothing but zeros."""
    if not any(value for series in chart.series for value in series.values):
        return [paragraph(f"{chart.title}: nothing to show.", looks.NOTE)]
    if isinstance(chart, doc.BarChart):
        return [bar_chart(chart, looks.WIDTH)]
    return [line_chart(chart, looks.WIDTH)]


def _text(block: doc.Heading | doc.Note | doc.PageBreak) -> list[Flowable]:
    match block:
        case doc.Heading():
            return [paragraph(block.text, looks.HEADING)]
        case doc.Note():
            return [paragraph(block.text, looks.NOTE)]
        case doc.PageBreak():
            return [platypus.PageBreak()]


def _facts(facts: doc.Facts) -> Flowable:
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
    return platypus.Table(rows, colWidths=[LABEL_WIDTH, room + 2], rowHeights=heights, style=style)


def _key_figures(block: doc.KeyFigures) -> Flowable:
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
    return platypus.Table(rows, colWidths=[width] * len(values), rowHeights=[19, 27], style=style)
