"""Recomputing provider by provider: what is wrong is repaired and kept, what is right stays."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from itertools import islice
from random import Random
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection

from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from repositories.errors import LockNotAvailable
from repositories.postgres.database import Database
from repositories.recomputation.figures import RowDifference
from repositories.recomputation.passes import Pass
from repositories.recomputation.recompute import Recomputed, Scope
from repositories.recomputation.strays import strays_of
from repositories.suggestions.rows import SuggestionRow
from repositories.vocabulary import Discrepancy
from tests.integration.repositories.database_state import dump, read_tables
from tests.integration.repositories.examples import apply, expected, settled, uuid_of
from tests.integration.repositories.random_traffic import deliver, history
from tests.integration.repositories.suggestion_examples import (
    apply_suggestions,
    plain,
    suggestion,
)
from tests.integration.repositories.waiting import transaction_of_another, until_waiting
from tests.oracle import tables
from tests.strategies import EventSpec, to_plain

REBUILD = Scope(history=True, found_by="rebuild")
EVENTS = history(Random(1), claims=80)
P = uuid_of("provider P")
EVENTS_SINCE = date(2024, 10, 1)  # of some of them
SOME = "hashtext(claim_id::text) % 3 = 0"
DAMAGES = {
    "claims are lost, or another's": f"""DELETE FROM claims WHERE {SOME} AND claim_version > 3;
        UPDATE claims SET provider_id = '{P}' WHERE {SOME}""",
    "all claims are lost": "DELETE FROM claims",
    "claims are other ones": """UPDATE claims SET submitted_fee = 1, patient_phn = NULL,
        last_sent_version = 9, first_rejected_version = 1""",
    "claims have no history": f"DELETE FROM claim_events WHERE {SOME}",
    "all figures are lost": "DELETE FROM analytics_cache",
    "figures are wrong": """UPDATE analytics_cache SET value = '{"count": 7, "amount": "7.00"}';
        UPDATE analytics_cache SET period_end = period_start WHERE metric_key = 'claims_paid';
        UPDATE analytics_cache SET metric_key = 'no_such_key' WHERE metric_key = 'stale_claims'""",
}


async def rebuild(database: Database, scope: Scope = REBUILD) -> Recomputed:
    counts = Recomputed()
    async with strays_of(database, None, None) as strays:
        way = Pass(scope, strays=strays)
        while step := await way.step(database):
            counts = counts.plus(step.counts)
    return counts


async def look(database: Database) -> tuple[list[UUID], list[RowDifference]]:
    claims: list[UUID] = []
    figures: list[RowDifference] = []
    async with strays_of(database, None, None) as strays:
        way = Pass(REBUILD, strays=strays)
        while looked := await way.look(database):
            claims += looked.found.claims
            figures += looked.found.rows
    return claims, figures


async def repaired(observer: Connection) -> list[tuple[Any, ...]]:
    """What `repaired_rows` holds, in the order in which it came."""
    found = await observer.fetch("SELECT * FROM repaired_rows ORDER BY repair_id")
    parsed = ("dimensions", "value_before", "value_after")
    return [
        (
            *(row[name] for name in ("provider_id", "metric_key", "period_start")),
            *(row[name] and json.loads(row[name]) for name in parsed),
        )
        for row in found
    ]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_whatever_is_damaged_a_rebuild_makes_it_what_the_history_says(
    database: Database, observer: Connection, damage: str
) -> None:
    """A look before changes nothing, and lists what is then done; a second rebuild does nothing."""
    await apply(database, *EVENTS)
    await settled(database, observer)
    await observer.execute(damage)
    damaged = await dump(observer)
    claims, figures = await look(database)
    assert await dump(observer) == damaged
    counts = await rebuild(database)
    assert counts.repaired_claims + counts.repaired_rows > 0
    assert len(set(claims)) <= counts.repaired_claims == len(claims)
    assert {row.why for row in figures} <= {Discrepancy.WRONG}
    listed = [(*row[:4], row.value_before, row.value_after) for row in figures]
    assert sorted(listed, key=repr) == sorted(await repaired(observer), key=repr)
    assert (await verify(database)).clean
    if "claim_events" not in damage:
        assert await settled(database, observer) == expected(*EVENTS)
    mended = await dump(observer)
    assert await rebuild(database) == Recomputed()
    assert await dump(observer) == mended


async def test_whoever_looks_sees_a_provider_as_it_was_until_all_of_it_is_right(
    database: Database, observer: Connection, migrated_url: str
) -> None:
    await apply(database, *EVENTS)
    await settled(database, observer)
    await observer.execute(f"DELETE FROM claims WHERE {SOME}")
    await observer.execute("UPDATE analytics_cache SET value = '{}' WHERE metric_key LIKE 'w%'")
    damaged = await dump(observer)
    figures_wait = "LOCK TABLE analytics_cache IN SHARE MODE"
    async with asyncio.TaskGroup() as group, transaction_of_another(migrated_url, figures_wait):
        group.create_task(rebuild(database))
        await until_waiting(observer, 1)  # its claims are written by now, and not committed
        assert await dump(observer) == damaged
    assert await read_tables(observer) == expected(*EVENTS)


async def test_rebuilds_and_refreshes_beside_batches_of_all_kinds_find_nothing_wrong(
    database: Database, observer: Connection
) -> None:
    """Figures are right at any moment, so nothing is ever repaired, and none is lost or doubled."""
    random = Random(2)
    events = history(random, claims=90)
    said = [suggestion(str(n), n, random.choice("PQR")) for n in range(30)]
    batches, of_the_coach = iter(deliver(random, events)), iter(said)
    refresh = Scope(since=EVENTS_SINCE, confirm=True, found_by="refresh")
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        working = [group.create_task(_until(over, database, scope)) for scope in (REBUILD, refresh)]
        async with asyncio.TaskGroup() as consumers:
            for _ in range(3):
                consumers.create_task(_consume(database, batches, of_the_coach))
        over.set()
    assert all(each.result() > 0 for each in working)
    known = tables([*map(to_plain, events), *map(plain, said)])
    assert await settled(database, observer) == known
    assert not await repaired(observer)


async def _consume(
    database: Database, batches: Iterator[list[EventSpec]], said: Iterator[SuggestionRow]
) -> None:
    for batch in batches:
        await apply(database, *batch)
        if some := [*islice(said, 2)]:
            await apply_suggestions(database, *some, some[0])


async def _until(over: asyncio.Event, database: Database, scope: Scope) -> int:
    """Recompute again and again, and bring lists up between; how often."""
    times = 0
    while not over.is_set():
        with suppress(LockNotAvailable):  # on a slow machine batches keep their providers for long
            counts = await rebuild(database, scope)
            assert (counts.repaired_claims, counts.repaired_rows) == (0, 0)
            times += 1
            await flush_top_codes(database)
    return times
