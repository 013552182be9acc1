"""One physician's months, as `analytics_cache` has them: what a dashboard would show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from repositories.analytics_cache import read_metrics
from repositories.database import Database
from repositories.records import SelectAnalyticsCache
from repositories.vocabulary import MetricKey

ZERO = Decimal("0.00")


class TopCode(NamedTuple):
    """A health service code among those that brought most, in dollars."""

    hsc_code: str
    amount: Decimal


@dataclass(frozen=True)
class MonthFigures:
    """The figures of one month of service; money is in dollars. `month` is its first day."""

    month: date
    submitted: int = 0
    paid: int = 0
    revenue: Decimal = ZERO
    average_fee: Decimal = ZERO
    pending: int = 0
    pending_amount: Decimal = ZERO
    days_to_payment: Decimal = ZERO
    by_ba: Mapping[str, Decimal] = field(default_factory=dict)
    by_location: Mapping[str, Decimal] = field(default_factory=dict)
    top_codes: Sequence[TopCode] = field(default_factory=list)


async def read_months(
    database: Database, provider_id: UUID, newest: int | None = None
) -> list[MonthFigures]:
    """The provider's months with claims, the oldest first; only the `newest` so many, if given.

    All are read at one moment. Raises a RepositoryError.
    """
    async with database.snapshot() as connection:
        submitted = await read_metrics(
            connection, provider_id, metric_key=MetricKey.CLAIMS_SUBMITTED
        )
        months = sorted({row.period_start for row in submitted})
        return [
            month_figures(month, await read_metrics(connection, provider_id, month=month))
            for month in (months if newest is None else months[-newest:])
        ]


def month_figures(month: date, rows: Sequence[SelectAnalyticsCache]) -> MonthFigures:
    """Picks the figures out of the month's rows; what has no row is nothing yet."""
    top: dict[str, Any] = {row.metric_key: row.value for row in rows if row.dimensions is None}
    paid = top.get(MetricKey.AVG_FEE_PER_CLAIM, {})
    pending = top.get(MetricKey.PENDING_PIPELINE, {})
    return MonthFigures(
        month=month,
        submitted=top.get(MetricKey.CLAIMS_SUBMITTED, {}).get("count", 0),
        paid=paid.get("count", 0),
        revenue=Decimal(paid.get("amount", ZERO)),
        average_fee=Decimal(paid.get("average", ZERO)),
        pending=pending.get("count", 0),
        pending_amount=Decimal(pending.get("amount", ZERO)),
        days_to_payment=Decimal(
            top.get(MetricKey.AVG_RESOLUTION_TIME, {}).get("average_days", ZERO)
        ),
        by_ba=_amounts(rows, MetricKey.REVENUE_BY_BA),
        by_location=_amounts(rows, MetricKey.REVENUE_BY_LOCATION),
        top_codes=[
            TopCode(code["hsc_code"], Decimal(code["amount"]))
            for code in top.get(MetricKey.TOP_HSC_CODES, {}).get("codes", [])
        ],
    )


def _amounts(rows: Sequence[SelectAnalyticsCache], metric_key: MetricKey) -> dict[str, Decimal]:
    """Amounts by the one value of each row's dimensions."""
    return {
        next(iter(row.dimensions.values())): Decimal(row.value["amount"])
        for row in rows
        if row.metric_key == metric_key and row.dimensions
    }
