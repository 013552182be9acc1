"""What waits today: rows of days, added up against a date as a dashboard would."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from repositories.records import SelectAnalyticsCache
from repositories.vocabulary import MetricKey

DAY_KEYS = (MetricKey.AGING_BRACKETS, MetricKey.APPROACHING_DEADLINE, MetricKey.STALE_CLAIMS)
BRACKETS = ("0–30", "31–60", "61–90", "over 90")
_LAST_DAYS = (30, 60, 90)  # of all brackets but the last, since the service
_DUE_WITHIN_DAYS = 7
_STALE_AFTER_DAYS = 14
# Older than anything: the last bracket has no end, nor has what is stale.
_EVER = 10**6


@dataclass(frozen=True)
class Waiting:
    """Claims, and the fees that they ask for, in dollars."""

    count: int = 0
    amount: Decimal = Decimal("0.00")


NONE = Waiting()


@dataclass(frozen=True)
class OpenClaims:
    """By the days since the service what is not answered yet; what must go out within a week; and
    drafts that were left lying. A claim can be in all three."""

    by_age: Sequence[Waiting] = (NONE,) * len(BRACKETS)
    due: Waiting = NONE
    stale: Waiting = NONE


NOTHING_OPEN = OpenClaims()


def open_claims(rows: Sequence[SelectAnalyticsCache], today: date) -> OpenClaims:
    """From rows of `DAY_KEYS`; `today` is the date in Alberta."""

    def added(metric_key: MetricKey, first_age: int, last_age: int) -> Waiting:
        """Over days that are so many days ago; days to come have a negative age."""
        values = [
            row.value
            for row in rows
            if row.metric_key == metric_key and row.dimensions is None
            if first_age <= (today - row.period_start).days <= last_age
        ]
        amounts = (Decimal(value["amount"]) for value in values)
        return Waiting(sum(value["count"] for value in values), sum(amounts, Decimal("0.00")))

    starts = (-_EVER, *(days + 1 for days in _LAST_DAYS))  # tomorrow's service counts as today's
    return OpenClaims(
        by_age=[
            added(MetricKey.AGING_BRACKETS, first, last)
            for first, last in zip(starts, (*_LAST_DAYS, _EVER), strict=True)
        ],
        due=added(MetricKey.APPROACHING_DEADLINE, -_DUE_WITHIN_DAYS, 0),
        stale=added(MetricKey.STALE_CLAIMS, _STALE_AFTER_DAYS + 1, _EVER),
    )
