"""Reading and writing single providers' rows of `analytics_cache`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.recomputation.expected import is_before_horizon
from repositories.records import InsertAnalyticsCache, SelectAnalyticsCache
from repositories.tables import analytics_cache
from repositories.vocabulary import MetricKey


async def read_metrics(
    connection: AsyncConnection,
    provider_id: UUID,
    *,
    month: date | None = None,
    metric_key: MetricKey | None = None,
) -> Sequence[SelectAnalyticsCache]:
    """The provider's rows, of one month (any day of it) or metric if given, in key order; none from
    before the horizon."""
    rows = select(analytics_cache).where(
        analytics_cache.c.provider_id == provider_id, ~is_before_horizon(analytics_cache)
    )
    if month:
        rows = rows.where(analytics_cache.c.period_start == month.replace(day=1))
    if metric_key:
        rows = rows.where(analytics_cache.c.metric_key == metric_key)
    ordered = rows.order_by(
        analytics_cache.c.period_start,
        analytics_cache.c.metric_key,
        analytics_cache.c.dimensions.nulls_first(),
    )
    found = (await connection.execute(ordered)).mappings()
    return [
        SelectAnalyticsCache(**{**row, "metric_key": MetricKey(row["metric_key"])}) for row in found
    ]


async def metrics_present(connection: AsyncConnection, provider_id: UUID) -> set[MetricKey]:
    """The metrics of which the provider has rows."""
    keys = select(analytics_cache.c.metric_key).distinct()
    found = await connection.scalars(keys.where(analytics_cache.c.provider_id == provider_id))
    return {MetricKey(key) for key in found}


async def put_metric(connection: AsyncConnection, row: InsertAnalyticsCache) -> None:
    """Write one row, over the one with its key if there is one (its `cache_id` then stays)."""
    statement = insert(analytics_cache).values(**asdict(row))
    await connection.execute(
        statement.on_conflict_do_update(
            constraint="uq_analytics_cache_key",
            set_={
                "value": statement.excluded.value,
                "computed_at": statement.excluded.computed_at,
            },
        )
    )
