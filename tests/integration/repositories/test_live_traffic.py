"""Many batches at once on the same providers and claims, with everything that runs beside them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest
from asyncpg import Connection

from repositories.claims.batch import Merged
from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from repositories.errors import ConcurrentClaim, LockNotAvailable
from repositories.postgres.database import Database
from tests.integration.repositories.examples import apply, expected, settled, uuid_of
from tests.integration.repositories.random_traffic import deliver, history
from tests.strategies import EventSpec

CONSUMERS = 5

Batch = list[EventSpec]
Work = Awaitable[Merged]
THIEF = str(uuid_of("provider T"))

seeds = pytest.mark.parametrize("seed", range(4))


@seeds
async def test_many_batches_at_once_give_what_the_oracle_computes(
    database: Database, observer: Connection, seed: int
) -> None:
    """A deadlock would be a DatabaseUnavailable here, and nothing is tried again."""
    random = Random(seed)
    events = history(random, claims=120)
    merged = await _consume(database, deliver(random, events))
    assert sum(found.applied + found.stale for found in merged) == len(events)
    assert sum(found.duplicate for found in merged) == len(events) // 3
    assert await settled(database, observer) == expected(*events)


async def test_a_backlog_in_one_batch_gives_what_the_oracle_computes(
    database: Database, observer: Connection
) -> None:
    """Other plans may serve large batches; a second one meets full tables."""
    random = Random(4)
    events = history(random, claims=2000)
    random.shuffle(events)
    half = len(events) // 2
    for batch in (events[:half], events[half:] + events[: half // 2]):
        merged = await apply(database, *batch)
        assert merged.applied + merged.stale + merged.duplicate == len(batch)
    assert merged.duplicate == half // 2
    assert await settled(database, observer) == expected(*events)


@seeds
async def test_flushes_beside_live_batches_lose_no_month(
    database: Database, observer: Connection, seed: int
) -> None:
    random = Random(seed)
    events = history(random, claims=80)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        flushers = [group.create_task(_flush_until(over, database)) for _ in range(2)]
        await _consume(database, deliver(random, events))
        over.set()
    assert await settled(database, observer) == expected(*events)
    assert sum(flusher.result() for flusher in flushers) > 0


@seeds
async def test_whoever_looks_while_batches_run_sees_claims_and_figures_that_agree(
    database: Database, seed: int
) -> None:
    random = Random(seed)
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        verifier = group.create_task(_verify_until(over, database))
        flusher = group.create_task(_flush_until(over, database))
        await _consume(database, deliver(random, history(random, claims=80)))
        over.set()
    sizes = verifier.result()
    assert len(set(sizes)) > 2, "nothing was seen under way"
    assert flusher.result() > 0


@seeds
async def test_providers_that_bring_each_others_claims_never_deadlock_or_count_twice(
    database: Database, observer: Connection, seed: int
) -> None:
    random = Random(seed)
    honest = history(random, claims=60)
    stolen = [replace(event, data=event.data | {"provider_id": THIEF}) for event in honest]
    batches = deliver(random, honest + stolen)
    merged = await _consume(database, batches, _until_alone)
    recorded = sum(found.applied + found.stale for found in merged)
    assert recorded == await observer.fetchval("SELECT count(*) FROM claim_events")
    assert sum(map(len, batches)) == recorded + sum(
        found.duplicate + len(found.refused) for found in merged
    )
    owners = "SELECT count(DISTINCT provider_id) FROM claim_events GROUP BY claim_id"
    assert {row["count"] for row in await observer.fetch(owners)} == {1}
    assert (await verify(database)).clean


async def _once(database: Database, batch: Batch) -> Merged:
    return await apply(database, *batch)


async def _until_alone(database: Database, batch: Batch) -> Merged:
    """For batches that break the publisher's contract: no others ever need a second attempt."""
    while True:
        with suppress(ConcurrentClaim):
            return await apply(database, *batch)


async def _consume(
    database: Database, batches: list[Batch], work: Callable[[Database, Batch], Work] = _once
) -> list[Merged]:
    """Each consumer takes the next batch when it is done with one."""
    waiting = iter(batches)

    async def consume() -> list[Merged]:
        return [await work(database, batch) for batch in waiting]

    async with asyncio.TaskGroup() as group:
        consumers = [group.create_task(consume()) for _ in range(CONSUMERS)]
    return [merged for consumer in consumers for merged in consumer.result()]


async def _flush_until(over: asyncio.Event, database: Database) -> int:
    flushed = 0
    while not over.is_set():
        with suppress(LockNotAvailable):  # on a slow machine a batch keeps its providers for long
            flushed += await flush_top_codes(database)
    return flushed


async def _verify_until(over: asyncio.Event, database: Database) -> list[int]:
    """The numbers of events that each look found."""
    sizes = []
    while not over.is_set():
        found = await verify(database)
        assert found.clean, (found.wrong_claims, found.wrong_rows)
        sizes.append(found.events)
    return sizes
