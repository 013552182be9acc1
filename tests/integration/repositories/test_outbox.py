"""Announcements: published after they are true, at least once, in order, under one id."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import Connection

from repositories.errors import DatabaseUnavailable
from repositories.outbox import (
    Announcement,
    announce,
    outbox_depth,
    prune_outbox,
    set_aside,
    unpublished,
)
from repositories.postgres.database import Database
from tests.integration.repositories.waiting import until_idle

NOW = datetime(2026, 1, 16, 17, 0, tzinfo=UTC)


class BrokerAway(Exception):
    pass


def announcement(n: int = 0) -> Announcement:
    return Announcement(
        topic="report-status",
        message_key="a provider",
        event_type="ca.meritum.report.ready.v1",
        occurred_at=NOW,
        data={"report_id": "A", "n": n, "error_message": None},
    )


async def write(database: Database, *announcements: Announcement) -> None:
    for one in announcements:
        async with database.transaction() as connection:
            await announce(connection, [one])


async def publish(database: Database, limit: int = 100) -> list[Announcement]:
    async with unpublished(database, limit) as announcements:
        return list(announcements)


async def test_an_announcement_is_read_as_it_was_written(database: Database) -> None:
    given = announcement()
    await write(database, given)
    assert await publish(database) == [given]


async def test_what_was_published_is_not_published_again(
    database: Database, observer: Connection
) -> None:
    await write(database, announcement())
    await publish(database)
    assert await publish(database) == []
    assert await observer.fetchval("SELECT published_at FROM outbox") is not None


async def test_announcements_come_in_the_order_of_their_writing(database: Database) -> None:
    given = [announcement(n) for n in range(20)]
    await write(database, *given)
    assert await publish(database, limit=12) + await publish(database, limit=12) == given


async def test_an_announcement_whose_transaction_fails_is_never_made(database: Database) -> None:
    async def announce_and_fail() -> None:
        async with database.transaction() as connection:
            await announce(connection, [announcement()])
            raise BrokerAway

    with pytest.raises(BrokerAway):
        await announce_and_fail()
    assert await publish(database) == []


async def test_when_publishing_fails_they_come_again_under_the_same_ids(
    database: Database,
) -> None:
    given = [announcement(n) for n in range(3)]
    await write(database, *given)
    with pytest.raises(BrokerAway):
        async with unpublished(database, 100):
            raise BrokerAway
    assert await publish(database) == given


async def test_when_the_relay_dies_they_come_again_under_the_same_ids(
    database: Database, observer: Connection
) -> None:
    given = [announcement(n) for n in range(3)]
    await write(database, *given)
    kill = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    with pytest.raises(DatabaseUnavailable):
        async with unpublished(database, 100):
            await observer.execute(kill)
    await until_idle(observer)
    assert await publish(database) == given


async def test_what_is_set_aside_holds_up_nothing_and_is_never_forgotten(
    database: Database, observer: Connection
) -> None:
    given = [announcement(n) for n in range(3)]
    await write(database, *given)
    await set_aside(database, given[1].outbox_id, "too large")
    assert (await outbox_depth(database)).waiting == 2
    assert await publish(database) == [given[0], given[2]]
    await observer.execute(
        "UPDATE outbox SET published_at = now() - interval '9 d' WHERE published_at IS NOT NULL"
    )
    assert await prune_outbox(database, timedelta(days=7)) == 2
    [left] = await observer.fetch("SELECT outbox_id, refusal FROM outbox")
    assert tuple(left) == (given[1].outbox_id, "too large")


async def test_a_second_relay_gets_nothing_while_the_first_is_publishing(
    database: Database,
) -> None:
    """It could send a report's newer state before its older one."""
    given = [announcement(n) for n in range(4)]
    await write(database, *given)
    async with unpublished(database, 2) as first:
        assert await publish(database) == []
    assert list(first) + await publish(database) == given


async def test_many_relays_publish_each_announcement_once(database: Database) -> None:
    given = [announcement(n) for n in range(40)]
    await write(database, *given)
    published: list[Announcement] = []

    async def relay() -> None:
        while (await outbox_depth(database)).waiting:
            published.extend(await publish(database, limit=3))

    await asyncio.gather(*(relay() for _ in range(4)))
    assert published == given


async def test_the_depth_counts_what_waits_and_for_how_long(
    database: Database, observer: Connection
) -> None:
    assert await outbox_depth(database) == (0, 0)
    await write(database, announcement(0), announcement(1), announcement(2))
    await publish(database, limit=1)
    await observer.execute("UPDATE outbox SET created_at = now() - interval '90 s'")
    waiting, oldest_seconds = await outbox_depth(database)
    assert waiting == 2
    assert 90 <= oldest_seconds < 150


async def test_pruning_forgets_what_was_published_long_ago_and_nothing_that_waits(
    database: Database, observer: Connection
) -> None:
    await write(database, *(announcement(n) for n in range(3)))
    await publish(database, limit=2)
    await observer.execute("UPDATE outbox SET created_at = now() - interval '9 d'")
    first = "seq = (SELECT min(seq) FROM outbox)"
    await observer.execute(f"UPDATE outbox SET published_at = now() - interval '8 d' WHERE {first}")
    assert await prune_outbox(database, timedelta(days=7)) == 1
    assert (await outbox_depth(database)).waiting == 1
    assert await observer.fetchval("SELECT count(*) FROM outbox") == 2
