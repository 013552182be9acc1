"""Filling in what a newer version keeps: all figures of a provider anew, beside live traffic.

Batches write the keys of their providers' revisions and no others, since a change added to a key
that was never filled would be a wrong figure. Filling writes every key's absolute value and raises
the revision, in one transaction, under the lock that batches take.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.claims.batch import HORIZON_LOCK
from repositories.metrics.contributions import ROW_COLUMNS, contributions
from repositories.metrics.definitions import LATEST_REVISION, METRICS
from repositories.metrics.lists import COACH_LISTS, TOP_CODES, months_of
from repositories.metrics.shapes import text_of
from repositories.metrics.upsert import mark_lists, put_in_cache, same_row
from repositories.postgres.database import Database
from repositories.tables import ai_suggestions, analytics_cache, claims, providers
from repositories.vocabulary import MetricKey

SECONDS = 0.2  # that a transaction is to take, since batches wait for its providers meanwhile
MOST_PROVIDERS = 500
LOCK_SECONDS = 1
SUMS = tuple(metric.key for metric in METRICS)
MONTH_COLUMNS = ("provider_id", "metric_key", "period_start")
LOCKED: Final = sa.func.any(sa.bindparam("locked", type_=sa.ARRAY(sa.Uuid)))
IS_BEHIND = providers.c.metrics_revision < LATEST_REVISION

PREPARE = sa.select(
    sa.func.pg_advisory_xact_lock_shared(HORIZON_LOCK),
    sa.func.set_config("lock_timeout", f"{LOCK_SECONDS}s", True),
    # A provider with very many claims must not be begun again and again.
    sa.func.set_config("statement_timeout", "0", True),
)


class Filled(NamedTuple):
    """How many providers were filled, and how many are left."""

    filled: int
    left: int


@dataclass
class Filling:
    """The way through all providers that are behind; several at once share them out."""

    at_once: int = 1  # as many as took `SECONDS` the last time

    async def step(self, database: Database) -> Filled:
        """Fill the next few.

        Raises LockNotAvailable if batches keep all that are left for long, or another
        RepositoryError; nothing has changed then.
        """
        async with database.transaction() as connection:
            await connection.execute(PREPARE)
            locked = await self._lock(connection)
            begun = time.monotonic()
            if locked:
                # A statement of its own: its snapshot holds all that earlier holders committed.
                await recompute(connection, locked)
                self._adapt(len(locked), time.monotonic() - begun)
            return Filled(len(locked), await count_behind(connection))

    async def _lock(self, connection: AsyncConnection) -> Sequence[UUID]:
        """Those that nobody has; if others have all, one is waited for, and then the free ones.

        So this never waits while it holds a lock.
        """
        behind = sa.select(providers.c.provider_id).where(IS_BEHIND)
        lock = behind.order_by(providers.c.provider_id)
        free = lock.limit(self.at_once).with_for_update(key_share=True, skip_locked=True)
        found = (await connection.scalars(free)).all()
        if not found and await connection.scalar(lock.limit(1).with_for_update(key_share=True)):
            found = (await connection.scalars(free)).all()
        return found

    def _adapt(self, providers: int, seconds: float) -> None:
        """Towards as many as take `SECONDS`, at most twice as many as before."""
        fitting = int(providers * SECONDS / max(seconds, 0.001))
        self.at_once = max(1, min(fitting, 2 * providers, MOST_PROVIDERS))


async def fill_all(database: Database) -> None:
    """Fill until nobody is behind. Raises as `Filling.step`; what was filled stays filled."""
    filling = Filling()
    while (await filling.step(database)).left:
        pass


async def count_behind(connection: AsyncConnection) -> int:
    """How many providers are to be filled."""
    count = sa.select(sa.func.count()).select_from(providers).where(IS_BEHIND)
    return int(await connection.scalar(count) or 0)


async def recompute(connection: AsyncConnection, locked: Sequence[UUID]) -> None:
    """Bring every figure of these providers to what their claims and the coach's events add up to.

    In the caller's transaction, which has locked their rows and shares the horizon. Lists are
    marked, as batches do.
    """
    for statement in (_rewrite(), _raise_revision()):
        await connection.execute(statement, {"locked": locked})


def _raise_revision() -> sa.Update:
    raised = providers.update().values(metrics_revision=LATEST_REVISION)
    return raised.where(providers.c.provider_id == LOCKED)


@cache
def _rewrite() -> sa.Select[Any]:
    """Rows that differ are written, and those that should not be there are deleted."""
    expected = _expected()
    found = (
        sa.select(analytics_cache)
        .where(analytics_cache.c.provider_id == LOCKED)
        .where(analytics_cache.c.metric_key.in_([text_of(key) for key in SUMS]))
        .cte("found")
    )
    differing = (
        sa.select(*(expected.c[name] for name in ROW_COLUMNS), found.c.cache_id)
        .select_from(expected.outerjoin(found, same_row(expected, found), full=True))
        .where(expected.c.value.is_distinct_from(found.c.value))
        .cte("differing")
    )
    rows = sa.select(*(differing.c[name] for name in ROW_COLUMNS))
    put = put_in_cache(rows.where(differing.c.value.is_not(None))).cte("put")
    gone = sa.select(differing.c.cache_id).where(differing.c.value.is_(None))
    deleted = (
        analytics_cache.delete()
        .where(analytics_cache.c.cache_id.in_(gone))
        .returning(*(analytics_cache.c[name] for name in MONTH_COLUMNS))
        .cte("deleted")
    )
    marked = mark_lists(_lists_behind(put, deleted)).returning(sa.literal_column("1")).cte("marked")
    steps = (put, deleted, marked)
    return sa.select(
        *(sa.select(sa.func.count()).select_from(step).scalar_subquery() for step in steps)
    )


def _expected() -> sa.CTE:
    """The rows (`ROW_COLUMNS`) of all keys but lists."""
    parts = []
    for table in (claims, ai_suggestions):
        own = sa.select(table, sa.literal_column("1").label("sign"))
        signed = own.where(table.c.provider_id == LOCKED).cte(f"own_{table.name}")
        rows = contributions(signed, table, filled=True).subquery(f"rows_{table.name}")
        parts.append(sa.select(*(rows.c[name] for name in ROW_COLUMNS)))
    return sa.union_all(*parts).cte("expected")


def _lists_behind(*written: sa.CTE) -> sa.Select[Any]:
    """Lists of codes whose months' revenue changed, and all lists of the coach."""
    parts: list[sa.Select[Any]] = []
    for step in written:
        is_ranked = step.c.metric_key == text_of(MetricKey.REVENUE_BY_HSC)
        key = text_of(TOP_CODES.key).label("metric_key")
        parts.append(sa.select(step.c.provider_id, key, step.c.period_start).where(is_ranked))
    own = sa.select(ai_suggestions).where(ai_suggestions.c.provider_id == LOCKED)
    month = months_of(own.subquery("own_suggestions")).subquery("months")
    for each in COACH_LISTS:
        key = text_of(each.key).label("metric_key")
        parts.append(sa.select(month.c.provider_id, key, month.c.period_start))
    lists = sa.union(*parts).subquery("lists")
    return sa.select(*(lists.c[name] for name in MONTH_COLUMNS))
