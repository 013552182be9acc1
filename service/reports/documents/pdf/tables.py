"""Tables as rows of fixed height: laying out thousands of them stays fast, and nothing is cut."""

from collections.abc import Sequence
from typing import Any

from reportlab.platypus import CondPageBreak, Flowable, LongTable, Paragraph

from service.reports.documents.model import Column, Kind, Row, Table
from service.reports.documents.pdf import look as looks
from service.reports.documents.pdf.fonts import BOLD, REGULAR, text_width, wrapped
from service.reports.documents.pdf.look import TableLook
from service.reports.documents.wording import cell_text, printable

ROWS_KEPT = 3  # with the head of a table, and with its end: no page starts with a lone total
Texts = list[str]


def table_flowables(table: Table, width: float) -> list[Flowable]:
    """One table per group, all with the same columns; the last is closed by the grand total."""
    if not any(group.rows for group in table.groups):
        return [Paragraph(table.empty, looks.NOTE)]
    look = looks.DENSE if table.dense else looks.NORMAL
    bodies = [[_texts(table.columns, row) for row in group.rows] for group in table.groups]
    closings = [_texts_of(table.columns, [group.subtotal]) for group in table.groups]
    closings[-1] += _texts_of(table.columns, [table.total])
    everything = [row for part in [*bodies, *closings] for row in part]
    grid = _Grid(table.columns, column_widths(table.columns, everything, look, width), look)
    flowables: list[Flowable] = []
    for group, body, closing in zip(table.groups, bodies, closings, strict=True):
        flowables += [*grid.title(group.title), grid.table(body, closing)]
    return flowables


def _texts_of(columns: Sequence[Column], rows: Sequence[Row | None]) -> list[Texts]:
    return [_texts(columns, row, missing="") for row in rows if row is not None]


def _texts(columns: Sequence[Column], row: Row, missing: str | None = None) -> Texts:
    return [
        missing if cell is None and missing is not None else cell_text(column.kind, cell)
        for column, cell in zip(columns, row, strict=True)
    ]


class _Grid:
    """What the tables of one block have in common."""

    def __init__(self, columns: Sequence[Column], widths: list[float], look: TableLook) -> None:
        self._widths = widths
        self._look = look
        self._wraps = [column.kind is Kind.TEXT for column in columns]
        self._right = [i for i, c in enumerate(columns) if c.kind not in (Kind.TEXT, Kind.DATE)]
        self._head = [
            wrapped(c.title, BOLD, look.size, w - 2 * look.gap)
            for c, w in zip(columns, widths, strict=True)
        ]

    def title(self, text: str | None) -> list[Flowable]:
        """A group's title, kept on one page with the head of its table and some rows."""
        if text is None:
            return []
        room = looks.HEADING.leading + 20 + self._look.row_height(2) * (ROWS_KEPT + 1)
        return [CondPageBreak(room), Paragraph(printable(text), looks.HEADING)]

    def table(self, body: list[Texts], closing: list[Texts]) -> Flowable:
        rows = [self._head, *map(self._fit, body), *(self._fit(row, BOLD) for row in closing)]
        heights = [self._look.row_height(max(t.count("\n") for t in row) + 1) for row in rows]
        return LongTable(
            rows,
            colWidths=self._widths,
            rowHeights=heights,
            repeatRows=1,
            spaceAfter=looks.AFTER_TABLE,
            style=self._style(len(body), len(closing)),
        )

    def _fit(self, row: Texts, font: str = REGULAR) -> Texts:
        inner = 2 * self._look.gap
        return [
            wrapped(text, font, self._look.size, width - inner) if wraps else text
            for text, wraps, width in zip(row, self._wraps, self._widths, strict=True)
        ]

    def _style(self, body: int, closing: int) -> list[tuple[Any, ...]]:
        style = self._base() + [("ALIGN", (i, 0), (i, -1), "RIGHT") for i in self._right]
        if closing:
            end = (0, -closing), (-1, -1)
            style += [("FONTNAME", *end, BOLD), ("LINEABOVE", *end, 0.7, looks.ACCENT)]
        kept = min(body, ROWS_KEPT) + closing
        return [*style, ("NOSPLIT", (0, -kept), (-1, -1))]

    def _base(self) -> list[tuple[Any, ...]]:
        look, everything, head = self._look, ((0, 0), (-1, -1)), ((0, 0), (-1, 0))
        return [
            ("FONT", *everything, REGULAR, look.size, look.leading),
            ("FONTNAME", *head, BOLD),
            ("TEXTCOLOR", *everything, looks.INK),
            ("TEXTCOLOR", *head, looks.ACCENT),
            ("BACKGROUND", *head, looks.PANEL),
            ("LINEBELOW", *head, 0.7, looks.ACCENT),
            ("LINEBELOW", (0, 1), (-1, -1), 0.25, looks.RULE),
            ("VALIGN", *everything, "TOP"),
            ("VALIGN", *head, "BOTTOM"),
            ("TOPPADDING", *everything, look.above),
            ("BOTTOMPADDING", *everything, look.below),
            ("LEFTPADDING", *everything, look.gap),
            ("RIGHTPADDING", *everything, look.gap),
        ]


def column_widths(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], look: TableLook, width: float
) -> list[float]:
    """In points; together they fill the width. Titles stay on one line where there is room."""
    cells = [_widest({row[i] for row in rows}, look) for i in range(len(columns))]
    titles = [_widest({column.title}, look) for column in columns]
    roomy = [max(pair) for pair in zip(titles, cells, strict=True)]
    if sum(roomy) <= width:
        return [w * width / sum(roomy) for w in roomy]
    numbers = sum(w for w, c in zip(roomy, columns, strict=True) if c.kind is not Kind.TEXT)
    if numbers < width / 2 and not look.wrap_titles:
        return _text_gives(columns, roomy, width)
    words = [_widest(set(column.title.split(" ")), look) for column in columns]
    narrow = [max(pair) for pair in zip(words, cells, strict=True)]
    return _text_gives(columns, narrow, width)


def _widest(texts: set[str], look: TableLook) -> float:
    """Wide enough for each of the texts, set bold as in a total."""
    widest = max((text_width(text, BOLD, look.size) for text in texts), default=0.0)
    return widest + 2 * look.gap + 0.5


def _text_gives(columns: Sequence[Column], widths: list[float], width: float) -> list[float]:
    """Columns of text share what the others leave, the wide ones giving where it lacks."""
    text = [i for i, column in enumerate(columns) if column.kind is Kind.TEXT]
    room = width - sum(w for i, w in enumerate(widths) if i not in text)
    shares = dict(zip(text, _shares([widths[i] for i in text], room), strict=True))
    return [shares.get(i, w) for i, w in enumerate(widths)]


def _shares(natural: list[float], room: float) -> list[float]:
    if sum(natural) <= room:
        return [w * room / sum(natural) for w in natural]
    shares: dict[int, float] = {}
    for i in sorted(range(len(natural)), key=lambda i: natural[i]):
        fair = (room - sum(shares.values())) / (len(natural) - len(shares))
        shares[i] = min(natural[i], fair)
    return [shares[i] for i in range(len(natural))]
