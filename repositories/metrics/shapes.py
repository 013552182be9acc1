"""What the JSON `value` of a metric looks like, and how two values of it add up.

A shape renders sums into `value` and parses them back out, in SQL. Adding a change to a stored
value is `render(parse(stored) + parse(change))`, so a row that grew and a row that was computed
from nothing are rendered by the same expression.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import Text, case, cast, func, literal_column
from sqlalchemy.sql import ColumnElement

from repositories.metrics.measures import COUNT, MONEY, ZERO

MONEY_FIELDS = frozenset({"amount", "difference"})
Sums = Mapping[str, ColumnElement[Any]]


@dataclass(frozen=True)
class Quotient:
    """`field` = `of` / the sum of `by`, two decimals, half away from zero, "0.00" over nothing."""

    field: str
    of: str
    by: tuple[str, ...]
    percent: bool = False

    def render(self, sums: Sums) -> ColumnElement[str]:
        whole = reduce(add, (sums[name] for name in self.by))
        part: ColumnElement[Any] = cast(sums[self.of], MONEY)
        if self.percent:
            part = part * literal_column("100")
        # numeric's round() goes half away from zero, as the specification asks.
        rounded = func.round(part / whole, literal_column("2"))
        return case((whole == ZERO, text_of("0.00")), else_=cast(rounded, Text))


@dataclass(frozen=True)
class Shape:
    """The keys of a `value`: `sums` add up, `quotient` follows from them."""

    sums: tuple[str, ...]
    quotient: Quotient | None = None

    def render(self, sums: Sums) -> ColumnElement[Any]:
        """The jsonb of these sums: counts as JSON integers, money as strings."""
        pairs: list[ColumnElement[Any]] = []
        for field in self.sums:
            shown = cast(sums[field], Text) if field in MONEY_FIELDS else sums[field]
            pairs += [text_of(field), shown]
        if self.quotient:
            pairs += [text_of(self.quotient.field), self.quotient.render(sums)]
        return func.jsonb_build_object(*pairs)

    def nothing(self) -> dict[str, int | str]:
        """The value over no rows at all."""
        fields: dict[str, int | str] = {
            field: "0.00" if field in MONEY_FIELDS else 0 for field in self.sums
        }
        return fields | ({self.quotient.field: "0.00"} if self.quotient else {})

    def parse(self, value: ColumnElement[Any]) -> dict[str, ColumnElement[Any]]:
        """The sums that `value`, a jsonb of this shape, was rendered from."""
        return {
            field: cast(value.op("->>")(text_of(field)), MONEY if field in MONEY_FIELDS else COUNT)
            for field in self.sums
        }

    def add(self, stored: ColumnElement[Any], change: ColumnElement[Any]) -> ColumnElement[Any]:
        """The jsonb of `stored` plus `change`, both of this shape."""
        old, new = self.parse(stored), self.parse(change)
        return self.render({field: old[field] + new[field] for field in self.sums})


def text_of(word: str) -> ColumnElement[str]:
    """A fixed word of the code, spelled into the statement: it never comes from an event."""
    return literal_column(f"'{word}'", Text)


COUNT_ONLY = Shape(("count",))
COUNT_AND_AMOUNT = Shape(("count", "amount"))
ADJUSTMENT = Shape(("count", "amount", "difference"))
AVERAGE_FEE = Shape(("count", "amount"), Quotient("average", of="amount", by=("count",)))
AVERAGE_DAYS = Shape(("count", "days"), Quotient("average_days", of="days", by=("count",)))
REJECTION_RATE = Shape(
    ("rejected", "decided"), Quotient("rate", of="rejected", by=("decided",), percent=True)
)
SITE = Shape(
    ("submitted", "paid", "rejected", "decided"),
    Quotient("rejection_rate", of="rejected", by=("decided",), percent=True),
)
FUNNEL = Shape(("rejected", "resubmitted", "paid_on_resubmission", "written_off"))
ACCEPTANCE = Shape(
    ("generated", "accepted", "dismissed"),
    Quotient("rate", of="accepted", by=("accepted", "dismissed"), percent=True),
)
BY_CATEGORY = Shape(("generated", "accepted", "dismissed", "amount"))
