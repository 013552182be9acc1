"""What the JSON `value` of a metric looks like, and how two values of it add up.

A shape renders sums into `value` and parses them back out, in SQL. Adding a change to a stored
value is `render(parse(stored) + parse(change))`, so a row that grew and a row that was computed
from nothing are rendered by the same expression.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, case, cast, func, literal_column
from sqlalchemy.sql import ColumnElement

from repositories.metrics.measures import COUNT, MONEY, ZERO

MONEY_FIELDS = frozenset({"amount"})
Sums = Mapping[str, ColumnElement[Any]]


@dataclass(frozen=True)
class Average:
    """`field` = `total` / `count`, two decimals, half away from zero, "0.00" over nothing."""

    field: str
    total: str


@dataclass(frozen=True)
class Shape:
    """The keys of a `value`: `sums` add up from claims, `average` follows from them."""

    sums: tuple[str, ...]
    average: Average | None = None

    def render(self, sums: Sums) -> ColumnElement[Any]:
        """The jsonb of these sums: counts as JSON integers, money as strings."""
        pairs: list[ColumnElement[Any]] = []
        for field in self.sums:
            shown = cast(sums[field], Text) if field in MONEY_FIELDS else sums[field]
            pairs += [_text(field), shown]
        if self.average:
            pairs += [_text(self.average.field), _average(sums[self.average.total], sums["count"])]
        return func.jsonb_build_object(*pairs)

    def nothing(self) -> dict[str, int | str]:
        """The value over no claims at all."""
        fields: dict[str, int | str] = {
            field: "0.00" if field in MONEY_FIELDS else 0 for field in self.sums
        }
        return fields | ({self.average.field: "0.00"} if self.average else {})

    def parse(self, value: ColumnElement[Any]) -> dict[str, ColumnElement[Any]]:
        """The sums that `value`, a jsonb of this shape, was rendered from."""
        return {
            field: cast(value.op("->>")(_text(field)), MONEY if field in MONEY_FIELDS else COUNT)
            for field in self.sums
        }

    def add(self, stored: ColumnElement[Any], change: ColumnElement[Any]) -> ColumnElement[Any]:
        """The jsonb of `stored` plus `change`, both of this shape."""
        old, new = self.parse(stored), self.parse(change)
        return self.render({field: old[field] + new[field] for field in self.sums})


def _average(total: ColumnElement[Any], count: ColumnElement[Any]) -> ColumnElement[Any]:
    # numeric's round() goes half away from zero, as the specification asks.
    quotient = func.round(cast(total, MONEY) / count, literal_column("2"))
    return case((count == ZERO, _text("0.00")), else_=cast(quotient, Text))


def _text(word: str) -> ColumnElement[str]:
    # A fixed word of this module, spelled into the statement: it never comes from an event.
    return literal_column(f"'{word}'", Text)


COUNT_ONLY = Shape(("count",))
COUNT_AND_AMOUNT = Shape(("count", "amount"))
AVERAGE_FEE = Shape(("count", "amount"), Average("average", total="amount"))
AVERAGE_DAYS = Shape(("count", "days"), Average("average_days", total="days"))
SUBMITTED_AND_PAID = Shape(("submitted", "paid"))
