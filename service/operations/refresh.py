"""Refreshing the figures: what runs once a night, and whenever an operator or a dashboard asks."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple, Self
from uuid import UUID

from repositories.calendar import day_in_alberta
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database
from repositories.recomputation.horizon import move_horizon
from repositories.recomputation.passes import Pass, Step
from repositories.recomputation.recompute import Scope
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


class RefreshedMonths(NamedTuple):
    """The first days of the month from which on figures are recomputed, and of the first that is
    kept."""

    since: date
    horizon: date


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
    months = await refreshed_months(database)
    await move_horizon(database, months.horizon)
    return await _go(database, Pass(_scope(months, found_by)), progress, stop)


async def refresh_provider(
    database: Database, provider_id: UUID, found_by: str = "refresh"
) -> RefreshCounts:
    """The same for one provider; `providers` is 0 where there is no such one."""
    return await refresh_providers(
        database, [provider_id], found_by, lambda _counts, _of: None, asyncio.Event()
    )


async def refresh_providers(
    database: Database,
    provider_ids: Sequence[UUID],
    found_by: str,
    progress: Progress,
    stop: asyncio.Event,
) -> RefreshCounts:
    """As `refresh_all`, for some; the horizon stays where it is."""
    months = await refreshed_months(database)
    return await _go(database, Pass(_scope(months, found_by), provider_ids), progress, stop)


async def refreshed_months(database: Database) -> RefreshedMonths:
    """By the database's clock, in Alberta."""
    today = day_in_alberta(await database_time(database))
    return RefreshedMonths(
        months_before(today, REFRESHED_MONTHS), months_before(today, KEPT_MONTHS)
    )


def months_before(day: date, months: int) -> date:
    """The first day of the month so many months before that of `day`."""
    month = day.year * 12 + day.month - 1 - months
    return date(month // 12, month % 12 + 1, 1)


def _scope(months: RefreshedMonths, found_by: str) -> Scope:
    return Scope(months.since, confirm=True, found_by=found_by)


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
