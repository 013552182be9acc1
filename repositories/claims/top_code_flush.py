"""Bringing the lists (top codes, the AI coach's rules) up to their months.

This has transactions of its own, seconds after the batches' at most: it reads all that a month's
list is made from, and batches would do so again and again for the same months.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    FromClause,
    Function,
    Select,
    Uuid,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.metrics.lists import LISTS, TOP_CODES
from repositories.metrics.periods import first_month
from repositories.metrics.shapes import text_of
from repositories.metrics.upsert import put_in_cache
from repositories.postgres.database import Database
from repositories.statements import BY_INDEX
from repositories.tables import ai_suggestions, analytics_cache, lists_due, providers
from repositories.vocabulary import MetricKey

PROVIDERS_AT_ONCE = 100  # bounds how long batches wait for the locks of one transaction
LOCK_SECONDS = 1


async def flush_top_codes(database: Database) -> int:
    """Derive every marked list of a month anew; returns how many they were.

    Raises LockNotAvailable if a batch keeps a provider for long, or another RepositoryError; what
    was flushed until then stays flushed.
    """
    flushed = 0
    while True:
        async with database.transaction() as connection:
            await connection.execute(select(*BY_INDEX, _lock_timeout(LOCK_SECONDS)))
            locked = await _lock_marked_providers(connection)
            if not locked:
                return flushed
            await connection.execute(select(_lock_timeout(0)))
            # A statement of its own: its snapshot holds all that earlier holders committed.
            flushed += int(await connection.scalar(_recompute(), {"locked": locked}) or 0)


def _lock_timeout(seconds: int) -> Function[str]:
    return func.set_config("lock_timeout", f"{seconds}s", True)


async def _lock_marked_providers(connection: AsyncConnection) -> Sequence[UUID]:
    """Those that no batch has; if batches have all, one is waited for, and then the free ones.

    So this never waits while it holds a lock, and one lane's lock holds up no other lane.
    """
    free = _marked().limit(PROVIDERS_AT_ONCE).with_for_update(key_share=True, skip_locked=True)
    found = (await connection.scalars(free)).all()
    if not found and await connection.scalar(_marked().limit(1).with_for_update(key_share=True)):
        found = (await connection.scalars(free)).all()
    return found


def _marked() -> Select[UUID]:
    """In order. As an array, so that they are looked up: of a subquery the planner asks for each
    provider that there is whether it is marked."""
    marked = func.array(select(lists_due.c.provider_id).distinct().scalar_subquery())
    return (
        select(providers.c.provider_id)
        .where(providers.c.provider_id == func.any(marked))
        .order_by(providers.c.provider_id)
    )


@cache
def _recompute() -> Select[Any]:
    """Take the marks of `locked` providers, and derive the lists that they name anew."""
    due = (
        delete(lists_due)
        .where(lists_due.c.provider_id == func.any(bindparam("locked", type_=ARRAY(Uuid))))
        .returning(lists_due)
        .cte("due")
    )
    rows = []
    for each in LISTS:
        months = (
            select(due.c.provider_id, due.c.period_start)
            .where(due.c.metric_key == text_of(each.key), due.c.period_start >= first_month())
            .cte(f"months_{each.key}")
        )
        rows.append(each.rows(months, _revenue(months) if each is TOP_CODES else ai_suggestions))
    put = put_in_cache(union_all(*rows)).cte("put")
    return select(func.count()).select_from(put)


def _revenue(months: FromClause) -> FromClause:
    """The rows that the codes of these months are ranked by.

    Not merged into the join (OFFSET 0), so each month's rows are looked up by index, also while the
    statistics of a growing table are behind.
    """
    return (
        select(analytics_cache)
        .where(analytics_cache.c.provider_id == months.c.provider_id)
        .where(analytics_cache.c.metric_key == text_of(MetricKey.REVENUE_BY_HSC))
        .where(analytics_cache.c.period_start == months.c.period_start)
        .offset(literal_column("0"))
        .lateral("revenue")
    )
