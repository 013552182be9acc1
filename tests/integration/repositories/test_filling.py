"""Filling in the keys of a newer version, as after an upgrade of a database that has figures."""

import asyncio
from collections.abc import Iterable
from datetime import date

import pytest
from asyncpg import Connection

from repositories.claims.fill import Filling, fill_all
from repositories.claims.verification import verify
from repositories.errors import LockNotAvailable
from repositories.metrics.definitions import LATEST_REVISION, METRICS
from repositories.metrics.lists import LISTS
from repositories.postgres.database import Database
from repositories.recomputation.recompute import Pace
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import (
    adjusted,
    apply,
    expected,
    paid,
    rejected,
    saved,
    settled,
    submitted,
    uuid_of,
    written_off,
)
from tests.integration.repositories.waiting import transaction_of_another, until_waiting
from tests.strategies import EventSpec

SITE = str(uuid_of("location L"))
BEFORE = (
    submitted(location_id=SITE),
    paid(location_id=SITE),
    submitted("B", submission_deadline="2024-12-01"),
    submitted("C", provider="Q", location_id=SITE),
)
AFTER = (
    rejected("B", explanatory_codes=["05BA", "39"], submission_deadline="2024-12-01"),
    adjusted(location_id=SITE),
    saved("D", provider="Q"),
    rejected("C", provider="Q", location_id=SITE),
    written_off("C", provider="Q", location_id=SITE),
    submitted("E", provider="R"),
)
NEW_KEYS = [each.key for each in (*METRICS, *LISTS) if each.since > 1]
LOCK = "SELECT * FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"


async def left_by_an_older_version(observer: Connection) -> None:
    """Of the metrics before the latest revision all is as it was; `multisite_claims` had fewer
    fields then."""
    await observer.execute("DELETE FROM analytics_cache WHERE metric_key = ANY($1)", NEW_KEYS)
    await observer.execute("UPDATE providers SET metrics_revision = 1")
    await observer.execute(
        """INSERT INTO analytics_cache
               (provider_id, metric_key, period_start, period_end, dimensions, value, computed_at)
           SELECT provider_id, 'multisite_claims', period_start, period_end, dimensions,
               '{"submitted": 1, "paid": 1}', now()
           FROM analytics_cache WHERE metric_key = 'multisite_revenue'"""
    )


@pytest.fixture(autouse=True)
async def older(database: Database, observer: Connection) -> None:
    await apply(database, *BEFORE)
    await settled(database, observer)
    await left_by_an_older_version(observer)


async def behind(observer: Connection) -> int:
    found = "SELECT count(*) FROM providers WHERE metrics_revision < $1"
    return int(await observer.fetchval(found, LATEST_REVISION))


async def assert_filled(database: Database, observer: Connection, *events: EventSpec) -> None:
    assert await behind(observer) == 0
    assert await settled(database, observer) == expected(*events)
    assert (await verify(database)).clean


async def test_filling_gives_what_live_events_give(
    database: Database, observer: Connection
) -> None:
    await fill_all(database)
    await assert_filled(database, observer, *BEFORE)


async def test_events_that_come_before_it_count_once(
    database: Database, observer: Connection
) -> None:
    """A batch writes none of the new keys of a provider that waits: it would add to nothing."""
    await apply(database, *AFTER)
    keys = await observer.fetch(
        "SELECT DISTINCT metric_key FROM analytics_cache WHERE metric_key = ANY($1)"
        " AND provider_id <> $2",
        NEW_KEYS,
        uuid_of("provider R"),
    )
    assert [row["metric_key"] for row in keys] == ["multisite_claims"]  # as it was
    await fill_all(database)
    await assert_filled(database, observer, *BEFORE, *AFTER)


async def test_events_that_come_after_it_count_once(
    database: Database, observer: Connection
) -> None:
    await fill_all(database)
    await apply(database, *AFTER)
    await assert_filled(database, observer, *BEFORE, *AFTER)


async def test_verify_counts_who_waits_and_compares_none_of_the_new_keys(
    database: Database, observer: Connection
) -> None:
    await apply(database, *AFTER)
    found = await verify(database)
    assert (found.clean, found.not_filled) == (True, 2)
    await fill_all(database)
    assert (await verify(database)).not_filled == 0


async def test_what_should_not_be_there_goes(database: Database, observer: Connection) -> None:
    """A day that nothing is left of, a wrong sum, a row that no claim adds to."""
    await observer.execute(
        """INSERT INTO analytics_cache
               (provider_id, metric_key, period_start, period_end, dimensions, value, computed_at)
           VALUES ($1, 'aging_brackets', $2, $2, NULL, '{"count": 0, "amount": "0.00"}', now()),
                  ($1, 'revenue_by_ba', $2, $2, '{"ba_number": "X"}',
                   '{"count": 1, "amount": "5.00"}', now())""",
        uuid_of("provider P"),
        date(2024, 10, 1),
    )
    await observer.execute(
        """UPDATE analytics_cache SET value = '{"count": 9, "amount": "9.00"}'
           WHERE metric_key = 'revenue_by_hsc'"""
    )
    await fill_all(database)
    await assert_filled(database, observer, *BEFORE)


async def test_whoever_has_a_provider_holds_up_no_other(
    database: Database, observer: Connection, migrated_url: str
) -> None:
    async with transaction_of_another(migrated_url, LOCK, uuid_of("provider P")):
        assert await Filling(Pace(9)).step(database) == (1, 1)
        with pytest.raises(LockNotAvailable):
            await Filling().step(database)
    await fill_all(database)
    await assert_filled(database, observer, *BEFORE)


async def test_a_batch_waits_for_a_filling_and_adds_to_what_that_has_written(
    database: Database, observer: Connection, migrated_url: str
) -> None:
    lock_the_cache = "LOCK TABLE analytics_cache IN SHARE MODE"
    async with asyncio.TaskGroup() as group, transaction_of_another(migrated_url, lock_the_cache):
        group.create_task(fill_all(database))
        await until_waiting(observer, 1)
        group.create_task(apply(database, *AFTER))
        await until_waiting(observer, 2)
    await assert_filled(database, observer, *BEFORE, *AFTER)


async def test_several_fill_beside_traffic_and_each_provider_is_filled_once(
    database: Database, observer: Connection
) -> None:
    many = [submitted(f"claim {n}", provider=f"Z{n}") for n in range(40)]
    await apply(database, *many)
    await settled(database, observer)
    await left_by_an_older_version(observer)
    payments = [paid(f"claim {n}", provider=f"Z{n}") for n in range(40)]

    async def fill() -> int:
        filling, filled = Filling(), 0
        while (step := await filling.step(database)).left:
            filled += step.filled
        return filled + step.filled

    async with asyncio.TaskGroup() as group:
        fillings = [group.create_task(fill()) for _ in range(3)]
        for some in _in_tens(payments):
            group.create_task(apply(database, *some))
    assert sum(each.result() for each in fillings) == 42
    await assert_filled(database, observer, *BEFORE, *many, *payments)


async def test_where_nobody_waits_nothing_changes(database: Database, observer: Connection) -> None:
    await fill_all(database)
    before = await dump(observer)
    assert await Filling().step(database) == (0, 0)
    assert await dump(observer) == before


async def test_whoever_is_new_has_every_metric_from_the_start(observer: Connection) -> None:
    """By the column's default too: profiles and requests make providers."""
    await observer.execute("INSERT INTO providers VALUES ($1)", uuid_of("provider N"))
    assert await behind(observer) == 2  # those that were there


def _in_tens(events: list[EventSpec]) -> Iterable[list[EventSpec]]:
    return (events[start : start + 10] for start in range(0, len(events), 10))
