"""Counting and summing, in decimal dollars: what report types have in common."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

from repositories.reports.rows import ClaimRow, MetricRow
from repositories.vocabulary import ClaimState, Dimension, MetricKey
from service.reports.documents.model import Kind, Row
from service.reports.documents.wording import NOTHING, cell_text

Key = TypeVar("Key")

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
PAID_STATES = frozenset({ClaimState.PAID, ClaimState.ADJUSTED})
DECIDED_STATES = PAID_STATES | {ClaimState.ASSESSED, ClaimState.REJECTED}

Dimensioned = tuple[str, str] | None  # (dimension, its value), or None at the top level
Figure = Decimal | int | None


@dataclass(slots=True)
class Tally:
    """How many, and how much."""

    count: int = 0
    amount: Decimal = ZERO

    def add(self, amount: Decimal | None) -> None:
        self.count += 1
        self.amount += amount or ZERO

    def add_all(self, other: "Tally") -> None:
        self.count += other.count
        self.amount += other.amount

    @property
    def average(self) -> Decimal | None:
        """Rounded half away from zero; None over nothing."""
        return rounded(self.amount / self.count) if self.count else None


def is_paid(claim: ClaimRow) -> bool:
    return claim.state in PAID_STATES


def adjustment(claim: ClaimRow) -> Decimal:
    """By how much the payer's fee differs from the submitted one, in dollars, with its sign."""
    return (claim.assessed_fee or ZERO) - (claim.submitted_fee or ZERO)


def rounded(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """`part` of `whole` in percent, with two decimals; None over nothing."""
    return rounded(Decimal(part) * 100 / Decimal(whole)) if whole else None


def total(tallies: Iterable[Tally]) -> Tally:
    result = Tally()
    for tally in tallies:
        result.add_all(tally)
    return result


def largest_first(tallies: Mapping[Key, Tally]) -> list[tuple[Key, Tally]]:
    """By amount, then count, both falling, then by key, so that the order is always the same."""
    return sorted(tallies.items(), key=lambda item: (-item[1].amount, -item[1].count, str(item[0])))


class CachedFigures:
    """What is not in the cache is zero: a row that has fallen back to nothing may be absent.

    An average over nothing is not zero, but none.
    """

    def __init__(self) -> None:
        self._values: dict[tuple[date, MetricKey, Dimensioned], dict[str, Any]] = {}

    def add(self, row: MetricRow) -> None:
        dimension = next(iter(row.dimensions.items())) if row.dimensions else None
        self._values[row.period_start, row.metric_key, dimension] = dict(row.value)

    def value(self, month: date, key: MetricKey, of: Dimensioned = None) -> dict[str, Any]:
        return self._values.get((month, key, of), {})

    def count(self, month: date, key: MetricKey, of: Dimensioned = None) -> int:
        return self.number(month, key, "count", of)

    def number(self, month: date, key: MetricKey, field: str, of: Dimensioned = None) -> int:
        """A count by its name in `value`."""
        return int(self.value(month, key, of).get(field, 0))

    def money(self, month: date, key: MetricKey, of: Dimensioned = None) -> Decimal:
        """In dollars."""
        return Decimal(self.value(month, key, of).get("amount", ZERO))

    def average(self, month: date, key: MetricKey, field: str) -> Decimal | None:
        """`field` of a metric that is an average; None over nothing."""
        return Decimal(self.value(month, key)[field]) if self.count(month, key) else None

    def tally(self, month: date, key: MetricKey, of: Dimensioned = None) -> Tally:
        return Tally(self.count(month, key, of), self.money(month, key, of))

    def parts(self, month: date, key: MetricKey, by: Dimension) -> dict[str, Tally]:
        """A breakdown: count and amount for each value of the dimension."""
        return {
            of[1]: self.tally(month, key, of)
            for first, metric, of in self._values
            if first == month and metric is key and of is not None and of[0] == by
        }

    def rows_of(self, month: date) -> list[tuple[MetricKey, Dimensioned, dict[str, Any]]]:
        """All rows of a month, in an order that does not depend on how they came."""
        rows = [(key, of, v) for (first, key, of), v in self._values.items() if first == month]
        return sorted(rows, key=lambda row: (row[0], row[1] or ("", "")))


async def cached_figures(rows: AsyncIterator[MetricRow]) -> CachedFigures:
    figures = CachedFigures()
    async for row in rows:
        figures.add(row)
    return figures


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
