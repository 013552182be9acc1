"""Offsets are stored with the effect that they stand for, or not at all."""

import asyncio

import pytest
from asyncpg import Connection

from repositories.claims.batch import Merged, apply_claim_batch
from repositories.errors import DatabaseBehind, DatabaseRefused, DatabaseUnavailable
from repositories.offsets import NextOffset, stored_offset, stored_offsets
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import (
    TOPIC,
    apply,
    expected,
    next_offset,
    paid,
    settled,
    submitted,
)
from tests.integration.repositories.waiting import (
    transaction_of_another,
    until_idle,
    until_waiting,
)

LOCK_OFFSETS = "SELECT FROM consumer_offsets FOR UPDATE"


async def stored(database: Database, partition: int = 0) -> int | None:
    return await stored_offset(database, "group", TOPIC, partition)


async def test_the_offsets_of_a_batch_are_stored_with_it(database: Database) -> None:
    await apply(database, paid(), offsets=[next_offset(7), next_offset(2**63 - 1, partition=3)])
    assert [await stored(database, n) for n in range(4)] == [7, None, None, 2**63 - 1]


async def test_a_batch_without_events_stores_its_offsets(
    database: Database, observer: Connection
) -> None:
    assert await apply_claim_batch(database, [], [next_offset(7)]) == Merged()
    assert await stored(database) == 7


async def test_a_batch_without_offsets_leaves_what_is_stored(database: Database) -> None:
    await apply(database, submitted(), offsets=[next_offset(7)])
    await apply(database, paid())
    assert await stored(database) == 7


async def test_a_lower_offset_is_stored_as_given(database: Database) -> None:
    """An operator who sets a consumer back is obeyed."""
    await apply(database, paid(), offsets=[next_offset(7)])
    await apply(database, paid(), offsets=[next_offset(3)])
    assert await stored(database) == 3


@pytest.mark.parametrize("stored_before", [None, 6])
async def test_a_database_that_lost_what_came_before_is_found_out_and_left_alone(
    database: Database, observer: Connection, stored_before: int | None
) -> None:
    """Restored from a backup under a running consumer, which read on from offset 7."""
    if stored_before is not None:
        await apply(database, submitted(), offsets=[next_offset(stored_before)])
    before = await dump(observer)
    with pytest.raises(DatabaseBehind) as caught:
        await apply(database, paid(), offsets=[next_offset(9)._replace(after=7)])
    assert not caught.value.retriable
    assert await dump(observer) == before


async def test_of_a_new_partition_nothing_need_be_stored(database: Database) -> None:
    begins = next_offset(9)._replace(after=7, is_new=True)
    await apply(database, submitted(), offsets=[begins])
    assert await stored(database) == 9
    await apply(database, paid(), offsets=[next_offset(6)])
    with pytest.raises(DatabaseBehind):  # another has begun there, and stands lower
        await apply(database, paid(), offsets=[begins])


@pytest.mark.parametrize("stored_before", [7, 20])
async def test_what_was_read_again_or_is_next_is_applied(
    database: Database, stored_before: int
) -> None:
    await apply(database, submitted(), offsets=[next_offset(stored_before)])
    await apply(database, paid(), offsets=[next_offset(9)._replace(after=7)])
    assert await stored(database) == 9


async def test_groups_topics_and_partitions_are_apart(database: Database) -> None:
    given = [
        NextOffset("group", TOPIC, 0, 1),
        NextOffset("other", TOPIC, 0, 2),
        NextOffset("group", "other", 0, 3),
        NextOffset("group", TOPIC, 1, 4),
    ]
    await apply_claim_batch(database, [], given)
    found = [await stored_offset(database, *offset[:3]) for offset in given]
    assert found == [1, 2, 3, 4]
    of_group = {(TOPIC, 0): 1, ("other", 0): 3, (TOPIC, 1): 4}
    assert await stored_offsets(database, "group") == of_group


async def test_when_storing_the_offset_fails_the_events_have_no_effect(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(), offsets=[next_offset(1)])
    before = await dump(observer)
    await observer.execute("ALTER TABLE consumer_offsets ADD CONSTRAINT full_disk CHECK (false)"
                           " NOT VALID")  # fmt: skip
    try:
        with pytest.raises(DatabaseRefused):
            await apply(database, paid(), offsets=[next_offset(2)])
    finally:
        await observer.execute("ALTER TABLE consumer_offsets DROP CONSTRAINT full_disk")
    assert await dump(observer) == before


async def test_when_the_effect_fails_no_offset_is_stored(
    database: Database, observer: Connection
) -> None:
    before = await dump(observer)
    with pytest.raises(DatabaseRefused):
        await apply(database, submitted("B"), paid(version=0), offsets=[next_offset(2)])
    assert await dump(observer) == before


async def test_a_backend_that_dies_between_effect_and_offset_leaves_neither(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, submitted(), offsets=[next_offset(1)])
    before = await dump(observer)
    async with transaction_of_another(migrated_url, LOCK_OFFSETS):
        batch = asyncio.create_task(apply(database, paid(), offsets=[next_offset(2)]))
        [pid] = await until_waiting(observer, 1)
        await observer.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(DatabaseUnavailable):
            await batch
    assert await dump(observer) == before
    await apply(database, paid(), offsets=[next_offset(2)])
    assert await stored(database) == 2
    assert await settled(database, observer) == expected(submitted(), paid())


async def test_a_batch_that_is_cancelled_between_effect_and_offset_leaves_neither(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, submitted(), offsets=[next_offset(1)])
    before = await dump(observer)
    async with transaction_of_another(migrated_url, LOCK_OFFSETS):
        batch = asyncio.create_task(apply(database, paid(), offsets=[next_offset(2)]))
        await until_waiting(observer, 1)
        batch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await batch
        await until_idle(observer)
    assert await dump(observer) == before
    await apply(database, paid(), offsets=[next_offset(2)])
    assert await settled(database, observer) == expected(submitted(), paid())
