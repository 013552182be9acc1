"""Rows of `analytics_cache`: what makes one unique, which stand for nothing, how one is defined."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

Value = dict[str, Any]  # what `value` holds
Dimensions = tuple[tuple[str, str], ...]  # sorted pairs
Counted = dict[str, Any]  # a claim, or an event of the coach
Period = tuple[date, date]  # its first and its last day


class CacheKey(NamedTuple):
    """What makes a row of `analytics_cache` unique; `dimensions` is None at the top level."""

    provider_id: UUID
    metric_key: str
    period_start: date
    period_end: date
    dimensions: Dimensions | None


class Metric(NamedTuple):
    """One line of the specification: which rows (None is the top level), of what, which value."""

    metric_key: str
    rows: tuple[str | None, ...]
    counts: Callable[[Counted], bool]
    value: Callable[[list[Counted]], Value]
    period: Callable[[Counted], Period | None]


TOP: Final = (None,)
TOP_AND_TYPE: Final = (None, "claim_type")


def month_of(name: str) -> Callable[[Counted], Period]:
    """The month of a day that is always there."""

    def month(counted: Counted) -> Period:
        start = counted[name].replace(day=1)
        return start, (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    return month


def each_day(name: str) -> Callable[[Counted], Period | None]:
    """The day itself; no row where it is null."""
    return lambda counted: counted[name] and (counted[name], counted[name])


def cache_key(
    provider_id: UUID,
    metric_key: str,
    period_start: date,
    period_end: date,
    dimensions: Mapping[Any, Any] | None,
) -> CacheKey:
    """The key of a row; `dimensions` as the column holds them, or None for SQL NULL."""
    pairs = None
    if dimensions is not None:
        pairs = tuple(sorted((str(name), str(value)) for name, value in dimensions.items()))
    return CacheKey(provider_id, metric_key, period_start, period_end, pairs)


def without_zero_rows(rows: Mapping[CacheKey, Value]) -> dict[CacheKey, Value]:
    """The rows less the months that have fallen back to nothing, which may be there or not.

    A day that has fallen back to nothing must not be there, so it stays and is a difference.
    """
    return {
        key: value
        for key, value in rows.items()
        if key.period_start == key.period_end or not _is_zero(value)
    }


def _is_zero(value: Value) -> bool:
    return bool(value) and all(_is_nothing(part) for part in value.values())


def _is_nothing(part: object) -> bool:
    return part in ("0.00", []) or (type(part) is int and part == 0)


def two_decimals(number: Decimal) -> str:
    """Rounded half away from zero, which is what decimal's "half up" does on both sides of it."""
    return str(number.quantize(Decimal("0.01"), ROUND_HALF_UP))


def total(counted: list[Counted], money: str) -> Decimal:
    """A null adds nothing."""
    return sum((one[money] for one in counted if one[money] is not None), Decimal(0))


def average(whole: Decimal, count: int) -> str:
    return two_decimals(whole / count) if count else "0.00"


def percent(part: int, whole: int) -> str:
    return average(Decimal(100 * part), whole)


def count_and_amount(money: str) -> Callable[[list[Counted]], Value]:
    """`count`, and `amount` of that column."""
    return lambda counted: {"count": len(counted), "amount": two_decimals(total(counted, money))}
