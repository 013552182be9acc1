"""Filling in what a newer version keeps: all figures of a provider anew, beside live traffic.

Batches write the keys of their providers' revisions and no others, since a change added to a key
that was never filled would be a wrong figure. Filling writes every key's absolute value and raises
the revision, in one transaction, under the lock that batches take.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.metrics.definitions import LATEST_REVISION
from repositories.postgres.database import Database
from repositories.recomputation.recompute import PREPARE, Pace, Scope, recompute
from repositories.tables import providers

IS_BEHIND = providers.c.metrics_revision < LATEST_REVISION
EVERYTHING = Scope()


class Filled(NamedTuple):
    """How many providers were filled, and how many are left."""

    filled: int
    left: int


@dataclass
class Filling:
    """The way through all providers that are behind; several at once share them out."""

    pace: Pace = field(default_factory=Pace)

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
                # Statements of their own: their snapshots hold all that earlier holders committed.
                await recompute(connection, locked, EVERYTHING)
                self.pace.adapt(len(locked), time.monotonic() - begun)
            return Filled(len(locked), await count_behind(connection))

    async def _lock(self, connection: AsyncConnection) -> Sequence[UUID]:
        """Those that nobody has; if others have all, one is waited for, and then the free ones.

        So this never waits while it holds a lock.
        """
        behind = sa.select(providers.c.provider_id).where(IS_BEHIND)
        lock = behind.order_by(providers.c.provider_id)
        free = lock.limit(self.pace.at_once).with_for_update(key_share=True, skip_locked=True)
        found = (await connection.scalars(free)).all()
        if not found and await connection.scalar(lock.limit(1).with_for_update(key_share=True)):
            found = (await connection.scalars(free)).all()
        return found


async def fill_all(database: Database) -> None:
    """Fill until nobody is behind. Raises as `Filling.step`; what was filled stays filled."""
    filling = Filling()
    while (await filling.step(database)).left:
        pass


async def count_behind(connection: AsyncConnection) -> int:
    """How many providers are to be filled."""
    count = sa.select(sa.func.count()).select_from(providers).where(IS_BEHIND)
    return int(await connection.scalar(count) or 0)
