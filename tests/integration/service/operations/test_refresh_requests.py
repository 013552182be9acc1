"""Requests to look after a provider's figures: what they cost, and what they mend."""

import asyncio
import json
import logging
from random import Random
from uuid import UUID

import pytest
from asyncpg import Connection

from consumers.engine.subscription import Outcome
from consumers.topics.cache_refresh_requests import RefreshRequest, refresh_stale_providers
from repositories.claims.verification import verify
from repositories.erasure import erase_provider
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import (
    apply,
    expected,
    next_offset,
    paid,
    settled,
    uuid_of,
)
from tests.integration.repositories.random_traffic import history
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

P, Q = uuid_of("provider P"), uuid_of("provider Q")
LOCK_PROVIDER = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
AGE = "UPDATE provider_freshness SET confirmed_at = now() - interval '2 hours'"
FALSIFY = "UPDATE analytics_cache SET value = '{\"count\": 7}' WHERE metric_key = 'claims_paid'"
COMPUTED = "SELECT array_agg(DISTINCT computed_at) FROM analytics_cache WHERE provider_id = $1"


async def handle(database: Database, *requests: tuple[UUID, int]) -> Outcome:
    events = [RefreshRequest(*request) for request in requests]
    return await refresh_stale_providers(database, events, [next_offset(7)], lambda _: ())


async def test_requests_that_arrive_together_cost_one_recomputation_for_each_provider(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid(), paid("B", provider="Q"))
    await observer.execute(AGE)
    assert await handle(database, *[(P, 60)] * 5, (Q, 600)) == Outcome(applied=1, duplicate=5)
    [computed] = await observer.fetchval(COMPUTED, P)
    assert computed == await observer.fetchval(
        "SELECT confirmed_at FROM provider_freshness WHERE provider_id = $1", P
    )
    assert await observer.fetchval("SELECT next_offset FROM consumer_offsets") == 7


async def test_of_requests_with_several_ages_the_lowest_counts(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid())
    await observer.execute(AGE)
    assert await handle(database, (P, 180), (P, 60), (P, 180)) == Outcome(applied=1, duplicate=2)


async def test_a_fresh_provider_costs_a_look_up_and_changes_nothing(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid())
    before = await dump(observer)
    assert await handle(database, (P, 60), (P, 1)) == Outcome(duplicate=2)
    after = await dump(observer)
    assert after.pop("consumer_offsets") != before.pop("consumer_offsets")
    assert after == before


async def test_so_does_one_that_is_unknown_or_erased(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid())
    await erase_provider(database, P, "asked for")
    before = await dump(observer)
    assert await handle(database, (P, 60), (Q, 60), (Q, 1)) == Outcome(erased=3)
    after = await dump(observer)
    assert after.pop("consumer_offsets") != before.pop("consumer_offsets")
    assert after == before


async def test_two_instances_that_are_asked_at_once_recompute_once(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """The topic may be keyed by anything, so that requests for one provider come to both."""
    await apply(database, paid())
    await observer.execute(AGE)
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_PROVIDER, P),
    ):
        both = [group.create_task(handle(database, (P, 60))) for _ in range(2)]
        await until_waiting(observer, 2)
    assert {each.result().applied for each in both} == {0, 1}


async def test_what_is_wrong_is_repaired_kept_and_said(
    database: Database, observer: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    await apply(database, paid(), paid("B", provider="Q"))
    right = await settled(database, observer)
    await observer.execute(f"{FALSIFY} AND provider_id = $1", P)
    await observer.execute(AGE)
    assert await handle(database, (P, 60)) == Outcome(applied=1)
    assert await settled(database, observer) == right
    kept = await observer.fetch("SELECT found_by, value_before FROM repaired_rows")
    wrong = {("cache-refresh-request", 7)}
    assert {(row["found_by"], json.loads(row["value_before"])["count"]) for row in kept} == wrong
    [line] = [it for it in caplog.records if it.levelno == logging.ERROR]
    assert line.message.startswith(f"{len(kept)} rows of analytics_cache were wrong")


async def test_beside_live_batches_every_figure_stays_what_the_events_say(
    database: Database, observer: Connection
) -> None:
    events = history(Random(4), claims=120)
    batches = [events[start : start + 40] for start in range(0, len(events), 40)]
    over = asyncio.Event()

    async def ask() -> int:
        recomputed = 0
        while not over.is_set():
            known = await observer.fetch("SELECT provider_id FROM providers")
            await observer.execute(AGE)
            asked = [(row["provider_id"], 60) for row in known]
            recomputed += (await handle(database, *asked)).applied
        return recomputed

    asking = asyncio.create_task(ask())
    for batch in batches:
        await apply(database, *batch)
    over.set()
    assert await asking > 0
    assert await settled(database, observer) == expected(*events)
    assert (await verify(database)).clean
    assert await observer.fetchval("SELECT count(*) FROM repaired_rows") == 0
