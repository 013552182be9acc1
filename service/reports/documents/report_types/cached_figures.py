"""Rows of `analytics_cache`, found by month, metric and dimension."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Any

from repositories.report_rows import MetricRow
from repositories.vocabulary import Dimension, MetricKey
from service.reports.documents.tallies import ZERO, Tally

Dimensioned = tuple[str, str] | None  # (dimension, its value), or None at the top level


class CachedFigures:
    """What is not in the cache is zero: a row that has fallen back to nothing may be absent."""

    def __init__(self) -> None:
        self._values: dict[tuple[date, MetricKey, Dimensioned], dict[str, Any]] = {}

    def add(self, row: MetricRow) -> None:
        dimension = next(iter(row.dimensions.items())) if row.dimensions else None
        self._values[row.period_start, row.metric_key, dimension] = dict(row.value)

    def value(self, month: date, key: MetricKey, of: Dimensioned = None) -> dict[str, Any]:
        return self._values.get((month, key, of), {})

    def count(self, month: date, key: MetricKey, of: Dimensioned = None) -> int:
        return int(self.value(month, key, of).get("count", 0))

    def money(
        self, month: date, key: MetricKey, of: Dimensioned = None, field: str = "amount"
    ) -> Decimal:
        """In dollars; averages and rates are stored in the same form."""
        return Decimal(self.value(month, key, of).get(field, ZERO))

    def parts(self, month: date, key: MetricKey, by: Dimension) -> dict[str, Tally]:
        """A breakdown: count and amount for each value of the dimension."""
        return {
            of[1]: Tally(int(value.get("count", 0)), Decimal(value.get("amount", ZERO)))
            for (first, metric, of), value in self._values.items()
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
