"""A figure beside an earlier one."""

from decimal import Decimal

from service.reports.documents.model import Kind, Row
from service.reports.documents.wording import NOTHING, cell_text

Figure = Decimal | int | None


def change_text(now: Figure, before: Figure, kind: Kind = Kind.MONEY) -> str:
    """What was added, with its sign; for percentages in points. A dash if one is not known."""
    if now is None or before is None:
        return NOTHING
    difference = now - before
    sign = "+" if difference > 0 else ""
    points = " pts" if kind is Kind.PERCENT else ""
    return sign + cell_text(Kind.MONEY, difference) + points


def measure_row(name: str, now: Figure, before: Figure, kind: Kind = Kind.MONEY) -> Row:
    """Name, both figures, and the change; the columns hold figures of any kind."""
    return [name, cell_text(kind, now), cell_text(kind, before), change_text(now, before, kind)]
