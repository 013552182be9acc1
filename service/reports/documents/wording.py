"""How values read to a person, and how foreign text is made fit to print."""

import unicodedata
from datetime import date
from decimal import Decimal

from service.reports.documents.model import Cell, Kind

NOTHING = "–"


def money_text(amount: Decimal) -> str:
    """`1,234.50`; a negative amount has its minus sign before it."""
    return f"{amount:,.2f}"


def cell_text(kind: Kind, cell: Cell) -> str:
    """What a reader sees; a cell that is not known is a dash."""
    if cell is None:
        return NOTHING
    if isinstance(cell, Decimal):
        return money_text(cell) + (" %" if kind is Kind.PERCENT else "")
    if isinstance(cell, int):
        return f"{cell:,}"
    return cell.isoformat() if isinstance(cell, date) else printable(cell)


def printable(text: str) -> str:
    """Text on one line, its letters composed (NFC), without control and direction characters."""
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if c.isspace() else c for c in composed if _is_visible(c))
    return " ".join(visible.split())


def _is_visible(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cf", "Cs"}


def month_text(first: date) -> str:
    """`January 2025`; English whatever the machine's locale."""
    return f"{MONTHS[first.month - 1]} {first.year}"


def month_labels(months: list[date]) -> list[str]:
    """Short names for a chart's axis; the year stands below the first month and each January."""
    return [
        MONTHS[month.month - 1][:3] + (f"\n{month.year}" if i == 0 or month.month == 1 else "")
        for i, month in enumerate(months)
    ]


MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
