"""How wide a table's columns are: numbers never wrap, text shares what is left."""

from collections.abc import Sequence

from service.reports.documents.model import Column, Kind
from service.reports.documents.pdf.fonts import BOLD, text_width
from service.reports.documents.pdf.look import TableLook


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
