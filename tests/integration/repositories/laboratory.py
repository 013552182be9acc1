"""Deliveries of events over empty tables, one after the other, as property tests want them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import asyncpg

from repositories.claims.batch import Merged, apply_claim_batch
from repositories.claims.fill import fill_all
from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import Verification, verify
from repositories.postgres.database import Database
from repositories.suggestions.batch import AppliedSuggestions, apply_suggestion_batch
from tests.integration.repositories.database_state import clear, read_tables
from tests.integration.repositories.examples import TOPIC, in_partition_0, rows
from tests.integration.repositories.test_filling import left_by_an_older_version
from tests.oracle import Tables
from tests.strategies import SUGGESTION, EventSpec, to_suggestion_row

Batches = Sequence[Sequence[EventSpec]]
SET_HORIZON = "INSERT INTO cache_horizon (first_month) VALUES ($1)"


class Steps(NamedTuple):
    """What happens before the batches of these positions; `filled_at` again after all of them."""

    flushed_at: frozenset[int] = frozenset()
    aged_at: int | None = None  # the database is made one of the version before
    filled_at: int | None = None
    horizon: date | None = None  # from the start


NO_STEPS = Steps()


class Found(NamedTuple):
    """What came of a delivery; a batch without events of a kind has no outcome of that kind."""

    merged: list[Merged]
    suggested: list[AppliedSuggestions]
    tables: Tables
    verification: Verification


class Laboratory:
    """One loop and one pool for all examples: opening them takes longer than an example."""

    def __init__(self, runner: asyncio.Runner, url: str) -> None:
        self._runner = runner
        self._database = Database(url)
        self._observer: asyncpg.Connection = runner.run(asyncpg.connect(url))

    def deliver(self, batches: Batches, steps: Steps = NO_STEPS) -> Found:
        """Apply the batches over empty tables with these steps before them; fill and flush last."""
        return self._runner.run(self._deliver(batches, steps))

    def close(self) -> None:
        self._runner.run(self._observer.close())
        self._runner.run(self._database.close())

    async def _deliver(self, batches: Batches, steps: Steps) -> Found:
        await clear(self._observer)
        if steps.horizon:
            await self._observer.execute(SET_HORIZON, steps.horizon)
        merged: list[Merged] = []
        suggested: list[AppliedSuggestions] = []
        for position, batch in enumerate(batches):
            await self._before(position, steps)
            if of_claims := [event for event in batch if event.event_type != SUGGESTION]:
                applied = await apply_claim_batch(self._database, rows(of_claims), [])
                merged.append(in_partition_0(applied))
            if of_the_coach := [event for event in batch if event.event_type == SUGGESTION]:
                rows_of_it = enumerate(of_the_coach)
                said = [to_suggestion_row(e, TOPIC, position, n) for n, e in rows_of_it]
                stored = await apply_suggestion_batch(self._database, said, [])
                refused = tuple(replace(each, partition=0) for each in stored.refused)
                suggested.append(replace(stored, refused=refused))
        await self._before(steps.filled_at, steps)
        await flush_top_codes(self._database)
        tables = await read_tables(self._observer)
        return Found(merged, suggested, tables, await verify(self._database))

    async def _before(self, position: int | None, steps: Steps) -> None:
        if position in steps.flushed_at:
            await flush_top_codes(self._database)
        if position is not None and position == steps.aged_at:
            await left_by_an_older_version(self._observer)
        if position is not None and position == steps.filled_at:
            await fill_all(self._database)
