"""What a report shows, apart from how it looks: a document is a list of blocks.

Cells keep their types (money is a `Decimal` in dollars); a renderer decides how they read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, auto

Cell = str | int | Decimal | date | None
Row = Sequence[Cell]


class Kind(Enum):
    """What the cells of a column, or the values of a chart, are."""

    TEXT = auto()
    COUNT = auto()
    MONEY = auto()
    PERCENT = auto()
    DATE = auto()


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under a title of their own, closed by a subtotal; its columns are the table's."""

    rows: Sequence[Row]
    title: str | None = None
    subtotal: Row | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`empty` stands in the table's place when it has no rows. `dense` is for long tables."""

    columns: Sequence[Column]
    groups: Sequence[Group]
    empty: str
    total: Row | None = None
    dense: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what they name, as in the head of a letter."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class KeyFigures:
    """The few numbers that a reader looks for first; three to five of (label, kind, value)."""

    figures: Sequence[tuple[str, Kind, Cell]]


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Running text; it is plain text, whatever letters it holds."""

    text: str


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[Decimal | int]


@dataclass(frozen=True, slots=True)
class BarChart:
    """One group of bars per label, stacked or side by side; at most three series."""

    title: str
    kind: Kind
    labels: Sequence[str]
    series: Sequence[Series]
    stacked: bool = False


@dataclass(frozen=True, slots=True)
class LineChart:
    """One line per series over the labels; at most three series."""

    title: str
    kind: Kind
    labels: Sequence[str]
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows starts on a new page."""


Block = Facts | KeyFigures | Heading | Note | Table | BarChart | LineChart | PageBreak


@dataclass(frozen=True, slots=True)
class Document:
    """`running` heads every page beside the title; `footer` closes it beside the page number."""

    title: str
    author: str
    running: str
    footer: str
    created: str
    blocks: Sequence[Block]


def table(columns: Sequence[Column], rows: Sequence[Row], empty: str, total: Row | None) -> Table:
    """A table without groups."""
    return Table(columns, [Group(rows)], empty, total if rows else None)
