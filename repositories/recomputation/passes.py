"""The way through providers in the order of their ids, a few in each transaction."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.operations.freshness import confirm_recomputed
from repositories.postgres.database import Database
from repositories.recomputation.recompute import (
    PREPARE,
    Differences,
    Pace,
    Recomputed,
    Scope,
    differences,
    recompute,
)
from repositories.recomputation.strays import Strays
from repositories.tables import providers

PROVIDER: Final = providers.c.provider_id


class Step(NamedTuple):
    """What one transaction did."""

    providers: int
    counts: Recomputed


class Look(NamedTuple):
    """What one transaction would do."""

    providers: int
    found: Differences


@dataclass
class Pass:
    """One way through all providers, or through `only` some; beside batches and other passes.

    `after` is where an earlier pass ended: its `position`. Every provider up to it is done.
    """

    scope: Scope
    only: Sequence[UUID] | None = None
    after: UUID | None = None
    strays: Strays = field(default_factory=Strays)
    pace: Pace = field(default_factory=Pace)
    _waiting: list[UUID] = field(default_factory=list)  # those that are next, in order
    _last: UUID | None = None  # that was taken from the table
    _at_end: bool = False

    @property
    def position(self) -> UUID | None:
        """All providers up to it are done, and some beyond it may be; None: perhaps none is."""
        return self.after

    async def left(self, connection: AsyncConnection) -> int:
        """How many providers are to be done, before the first step."""
        count = sa.select(sa.func.count()).select_from(self._beyond(self.after).subquery())
        return int(await connection.scalar(count) or 0)

    async def step(self, database: Database) -> Step | None:
        """Recompute the next few that nobody has; None if none was left.

        Raises LockNotAvailable if batches keep all that are next for long (call it again), or
        another RepositoryError; nothing has changed then.
        """
        async with database.transaction() as connection:
            await connection.execute(PREPARE)
            await self._look_ahead(connection)
            if not self._waiting:
                return None
            chosen, locked = await self._lock(connection)
            strays = await self.strays.of(locked)
            begun = time.monotonic()
            counts = Recomputed()
            if locked:
                counts = await recompute(connection, locked, self.scope, strays)
                if self.scope.confirm:
                    await confirm_recomputed(connection, locked)
        if locked:
            self.pace.adapt(len(locked), time.monotonic() - begun)
        self._done(chosen)
        return Step(len(locked), counts)

    async def look(self, database: Database) -> Look | None:
        """What a step would do to the next few, changing and locking nothing; None as there."""
        async with database.snapshot() as connection:
            await self._look_ahead(connection)
            if not self._waiting:
                return None
            chosen = self._waiting[: self.pace.at_once]
            begun = time.monotonic()
            strays = await self.strays.of(chosen)
            found = await differences(connection, chosen, self.scope, strays)
        self.pace.adapt(len(chosen), time.monotonic() - begun)
        self._done(chosen)
        return Look(len(chosen), found)

    async def _look_ahead(self, connection: AsyncConnection) -> None:
        wanted = self.pace.at_once - len(self._waiting)
        if wanted > 0 and not self._at_end:
            beyond = self._last or self.after
            found = (await connection.scalars(self._beyond(beyond).limit(wanted))).all()
            self._at_end = len(found) < wanted
            self._waiting += found
            self._last = found[-1] if found else self._last

    async def _lock(self, connection: AsyncConnection) -> tuple[Sequence[UUID], Sequence[UUID]]:
        """Those of the next ones that nobody has; if others have all, the first is waited for.

        So this never waits while it holds a lock. One that was erased meanwhile is chosen, and not
        locked.
        """
        next_ones = self._waiting[: self.pace.at_once]
        lock = sa.select(PROVIDER).where(PROVIDER.in_(next_ones)).order_by(PROVIDER)
        free = lock.with_for_update(key_share=True, skip_locked=True)
        if locked := (await connection.scalars(free)).all():
            return locked, locked
        first = next_ones[:1]
        alone = sa.select(PROVIDER).where(PROVIDER.in_(first)).with_for_update(key_share=True)
        return first, (await connection.scalars(alone)).all()

    def _done(self, chosen: Sequence[UUID]) -> None:
        self.strays.forget(chosen)
        gone = set(chosen)
        before = [*takewhile(lambda provider_id: provider_id in gone, self._waiting)]
        self._waiting = [each for each in self._waiting if each not in gone]
        if before:
            self.after = before[-1] if self._waiting else self._last

    def _beyond(self, position: UUID | None) -> sa.Select[Any]:
        found = sa.select(PROVIDER).order_by(PROVIDER)
        if self.only is not None:
            found = found.where(PROVIDER.in_(self.only))
        return found if position is None else found.where(position < PROVIDER)


async def known_providers(database: Database, provider_ids: Sequence[UUID]) -> set[UUID]:
    """Those of them that have a row."""
    async with database.snapshot() as connection:
        found = sa.select(PROVIDER).where(PROVIDER.in_(provider_ids))
        return set(await connection.scalars(found))
