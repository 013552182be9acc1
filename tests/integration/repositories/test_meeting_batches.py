"""Two consumers with the same claims at the same time, in orders that locks force."""

import asyncio

import pytest
from asyncpg import Connection

from repositories.claims.batch import Merged
from repositories.claims.verification import verify
from repositories.errors import ConcurrentClaim
from repositories.postgres.database import Database
from tests.integration.repositories.examples import (
    apply,
    expected,
    paid,
    refused,
    settled,
    submitted,
    uuid_of,
)
from tests.integration.repositories.ledger import counts
from tests.integration.repositories.report_examples import record, request
from tests.integration.repositories.waiting import transaction_of_another, until_waiting
from tests.strategies import EventSpec

NEW_PROVIDER = "INSERT INTO providers (provider_id) VALUES ($1)"
LOCK_PROVIDER = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
LOCK_CACHE = "SELECT FROM analytics_cache WHERE provider_id = $1 FOR UPDATE"

ONE_CLAIM = ([submitted()], [paid()])
NAMES = [f"{provider}{n}" for n in range(15) for provider in "PQR"]
MANY_CLAIMS = (
    [submitted(name, provider=name[0]) for name in NAMES],
    [paid(name, provider=name[0]) for name in reversed(NAMES)],
)
Pair = tuple[list[EventSpec], list[EventSpec]]

pairs = pytest.mark.parametrize("pair", [ONE_CLAIM, MANY_CLAIMS], ids=["one_claim", "many_claims"])
paid_first = pytest.mark.parametrize("paid_first", [False, True], ids=["in_order", "paid_first"])


@pairs
@paid_first
async def test_two_events_of_a_new_claim_count_once_in_either_order(
    migrated_url: str, database: Database, observer: Connection, pair: Pair, paid_first: bool
) -> None:
    """Both wait for the provider's row, and get it in the order in which they came."""
    first, second = reversed(pair) if paid_first else pair
    provider = uuid_of("provider P")
    await observer.execute(NEW_PROVIDER, provider)
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_PROVIDER, provider),
    ):
        one = group.create_task(apply(database, *first))
        await until_waiting(observer, 1)
        other = group.create_task(apply(database, *second))
        await until_waiting(observer, 2)
    assert counts(one.result()) == Merged(applied=len(first))
    late = Merged(stale=len(second)) if paid_first else Merged(applied=len(second))
    assert counts(other.result()) == late
    assert await settled(database, observer) == expected(*first, *second)


@pairs
@pytest.mark.parametrize("commit", [False, True], ids=["rolled_back", "committed"])
async def test_two_events_of_a_new_claim_of_a_new_provider_count_once(
    migrated_url: str, database: Database, observer: Connection, pair: Pair, commit: bool
) -> None:
    """A third brings the provider at the same time; all wait for it, then race."""
    provider = uuid_of("provider P")
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, NEW_PROVIDER, provider, commit=commit),
    ):
        tasks = [group.create_task(apply(database, *events)) for events in pair]
        await until_waiting(observer, 2)
    fresh = [task.result().applied + task.result().stale for task in tasks]
    assert fresh == [len(events) for events in pair]
    assert await settled(database, observer) == expected(*pair[0], *pair[1])


@paid_first
async def test_a_batch_that_begins_while_another_is_half_done_waits_for_its_end(
    migrated_url: str, database: Database, observer: Connection, paid_first: bool
) -> None:
    """The first has stored its claim and waits for a row of the cache when the second comes."""
    known, provider = submitted("B"), uuid_of("provider P")
    await apply(database, known)
    first, second = (paid(), submitted()) if paid_first else (submitted(), paid())
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_CACHE, provider),
    ):
        group.create_task(apply(database, first))
        await until_waiting(observer, 1)
        group.create_task(apply(database, second))
        await until_waiting(observer, 2)
    assert await settled(database, observer) == expected(known, submitted(), paid())


async def test_a_report_is_recorded_while_a_batch_has_its_provider(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """The report's foreign key takes a lock of its own on the provider's row."""
    await apply(database, submitted())
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_CACHE, uuid_of("provider P")),
    ):
        group.create_task(apply(database, paid()))
        await until_waiting(observer, 1)
        async with asyncio.timeout(10):
            assert (await record(database, request())).created == 1


async def test_the_same_batch_at_two_consumers_counts_once(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """A partition that moves while its batch is under way comes to this."""
    batch, _ = MANY_CLAIMS
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, NEW_PROVIDER, uuid_of("provider P")),
    ):
        tasks = [group.create_task(apply(database, *batch)) for _ in range(2)]
        await until_waiting(observer, 2)
    applied, duplicate = Merged(applied=len(batch)), Merged(duplicate=len(batch))
    found = sorted((counts(task.result()) for task in tasks), key=lambda merged: merged.duplicate)
    assert found == [applied, duplicate]
    assert await settled(database, observer) == expected(*batch)


BLOCK_HISTORY = """
    INSERT INTO claim_events (claim_id, claim_version, provider_id, state, claim_type,
        date_of_service, modifiers, submitted_fee, occurred_at, source_topic, source_partition,
        source_offset, explanatory_codes)
    VALUES ($1, 1, $2, 'SUBMITTED', 'WCB', '2024-01-01', '{}', 0, now(), '', 0, 0, '{}')
"""
BLOCK_CLAIM = """
    INSERT INTO claims (claim_id, claim_version, provider_id, state, claim_type, date_of_service,
        modifiers, submitted_fee, explanatory_codes, first_sent_version)
    VALUES ($1, 1, $2, 'SUBMITTED', 'WCB', '2024-01-01', '{}', 0, '{}', 1)
"""


@pytest.mark.parametrize(
    ("block", "rivals"),
    [
        (BLOCK_HISTORY, (submitted(provider="P"), submitted(provider="Q"))),
        (BLOCK_CLAIM, (submitted(provider="P"), paid(provider="Q"))),
        (BLOCK_CLAIM, (paid(provider="P"), submitted(provider="Q"))),
    ],
    ids=["one_version", "lower_first", "higher_first"],
)
async def test_of_two_providers_that_bring_one_new_claim_one_gets_it_and_the_other_starts_again(
    migrated_url: str,
    database: Database,
    observer: Connection,
    block: str,
    rivals: tuple[EventSpec, EventSpec],
) -> None:
    """Both have the lock of their provider and see no such claim; a third holds up the insert."""
    async with asyncio.TaskGroup() as group:
        thief = (uuid_of("claim A"), uuid_of("provider T"))
        async with transaction_of_another(migrated_url, block, *thief):
            tasks = [group.create_task(_apply_or_error(database, event)) for event in rivals]
            await until_waiting(observer, 2)
    outcomes = [task.result() for task in tasks]
    [winner] = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, Merged)]
    assert isinstance(outcomes[1 - winner], ConcurrentClaim)
    assert await settled(database, observer) == expected(rivals[winner])
    again = await apply(database, rivals[1 - winner])
    assert again == Merged(refused=refused({0: True}))
    assert await settled(database, observer) == expected(rivals[winner])
    assert (await verify(database)).clean


async def _apply_or_error(database: Database, event: EventSpec) -> Merged | ConcurrentClaim:
    try:
        return await apply(database, event)
    except ConcurrentClaim as error:
        return error
