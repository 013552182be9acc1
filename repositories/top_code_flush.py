"""Bringing `top_hsc_codes` up to its months.

This has transactions of its own, seconds after the claims' at most: it reads all codes of a
month, and batches would do so again and again for the same months.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.cache_upsert import put_in_cache
from repositories.database import Database
from repositories.metrics.top_codes import top_codes
from repositories.statements import BY_INDEX
from repositories.tables import analytics_cache, providers, top_codes_due
from repositories.vocabulary import MetricKey

PROVIDERS_AT_ONCE = 100  # bounds how long batches wait for the locks of one transaction


async def flush_top_codes(database: Database) -> int:
    """Recompute `top_hsc_codes` of every marked month; returns how many months that were.

    Raises a RepositoryError; what was flushed until then stays flushed.
    """
    flushed = 0
    while True:
        async with database.transaction() as connection:
            await connection.execute(select(*BY_INDEX))
            locked = await _lock_marked_providers(connection)
            if not locked:
                return flushed
            # A statement of its own: its snapshot holds all that earlier holders committed.
            flushed += int(await connection.scalar(_recompute(locked)) or 0)


async def _lock_marked_providers(connection: AsyncConnection) -> Sequence[UUID]:
    marked = select(top_codes_due.c.provider_id).distinct().order_by(top_codes_due.c.provider_id)
    lock = (
        select(providers.c.provider_id)
        .where(providers.c.provider_id.in_(marked.limit(PROVIDERS_AT_ONCE)))
        .order_by(providers.c.provider_id)
        .with_for_update(key_share=True)
    )
    return (await connection.scalars(lock)).all()


def _recompute(locked: Sequence[UUID]) -> Select[Any]:
    """Take the marks of these providers, and rank the codes of the months they name."""
    due = (
        delete(top_codes_due)
        .where(top_codes_due.c.provider_id == func.any(locked))
        .returning(top_codes_due)
        .cte("due")
    )
    revenue = (
        select(analytics_cache)
        .join(
            due,
            and_(
                analytics_cache.c.provider_id == due.c.provider_id,
                analytics_cache.c.period_start == due.c.period_start,
                analytics_cache.c.metric_key == literal_column(f"'{MetricKey.REVENUE_BY_HSC}'"),
            ),
        )
        .cte("revenue")
    )
    put = put_in_cache(top_codes(due, revenue)).cte("put")
    return select(func.count()).select_from(put)
