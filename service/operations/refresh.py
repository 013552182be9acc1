"""Refreshing the figures: what runs once a night, and whenever an operator or a dashboard asks."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from typing import Self
from uuid import UUID

from repositories.calendar import day_in_alberta
from repositories.claims.recompute import Scope
from repositories.operations.horizon import move_horizon
from repositories.operations.passes import Pass, Step
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database
from service.operations.steps import steps

REFRESHED_MONTHS = 12  # before this one
KEPT_MONTHS = 24


@dataclass(frozen=True)
class RefreshCounts:
    """What a refresh has done so far: providers, and rows of `analytics_cache`.

    `repaired_rows` were wrong, and are kept in the table of that name. `confirmed_rows` were right;
    their `computed_at` moved. `removed_rows` are of months before the horizon. `done` says whether
    all providers had their turn.
    """

    providers: int = 0
    confirmed_rows: int = 0
    repaired_rows: int = 0
    removed_rows: int = 0
    done: bool = False

    def after(self, step: Step) -> Self:
        """With what one more transaction did."""
        return replace(
            self,
            providers=self.providers + step.providers,
            confirmed_rows=self.confirmed_rows + step.counts.confirmed_rows,
            repaired_rows=self.repaired_rows + step.counts.repaired_rows,
            removed_rows=self.removed_rows + step.counts.removed_rows,
        )


# Called with the counts after each transaction, and with how many providers it will be in all.
Progress = Callable[[RefreshCounts, int], None]


async def refresh_all(
    database: Database, found_by: str, progress: Progress, stop: asyncio.Event
) -> RefreshCounts:
    """Recompute and repair this month and the twelve before it of every provider, beside batches;
    move the horizon to the month 24 months back, and remove what lies before it.

    `found_by` goes with repaired rows. It can be stopped by `stop` (the transaction at hand is
    finished) or cancelled (it is rolled back) at any moment; repeat it then. Raises
    LockNotAvailable if somebody keeps the horizon, or a provider, for long, or another
    RepositoryError; what was done until then stays done.
    """
    today = day_in_alberta(await database_time(database))
    await move_horizon(database, months_before(today, KEPT_MONTHS))
    way = Pass(_scope(today, found_by))
    return await _go(database, way, progress, stop)


async def refresh_provider(
    database: Database, provider_id: UUID, found_by: str = "refresh"
) -> RefreshCounts:
    """The same for one provider; the horizon stays where it is. `providers` is 0 where there is no
    such provider. Raises as `refresh_all`."""
    today = day_in_alberta(await database_time(database))
    way = Pass(_scope(today, found_by), only=[provider_id])
    return await _go(database, way, lambda _counts, _total: None, asyncio.Event())


def months_before(day: date, months: int) -> date:
    """The first day of the month so many months before that of `day`."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def _scope(today: date, found_by: str) -> Scope:
    return Scope(months_before(today, REFRESHED_MONTHS), confirm=True, found_by=found_by)


async def _go(
    database: Database, way: Pass, progress: Progress, stop: asyncio.Event
) -> RefreshCounts:
    async with database.snapshot() as connection:
        total = await way.left(connection)
    counts = RefreshCounts()
    async with aclosing(steps(way, database)) as done:
        async for step in done:
            counts = counts.after(step)
            progress(counts, total)
            if stop.is_set():
                return counts
    return replace(counts, done=True)
