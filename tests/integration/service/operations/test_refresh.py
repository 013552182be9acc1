"""`refresh`: confirming or repairing the last months, and moving the horizon."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from asyncpg import Connection

from repositories.calendar import day_in_alberta
from repositories.claims.verification import verify
from repositories.postgres.database import Database
from repositories.recomputation.horizon import LOCK_MILLISECONDS
from service.operations.refresh import (
    RefreshCounts,
    months_before,
    refresh_all,
    refresh_provider,
)
from tests.integration.repositories.examples import (
    apply,
    expected,
    paid,
    saved,
    settled,
    submitted,
    uuid_of,
)
from tests.integration.repositories.suggestion_examples import (
    apply_suggestions,
    plain,
    suggestion,
)
from tests.integration.repositories.test_filling import left_by_an_older_version
from tests.integration.repositories.waiting import transaction_of_another, until_waiting
from tests.oracle import tables
from tests.strategies import EventSpec, to_plain

TODAY = day_in_alberta(datetime.now(UTC))
HORIZON, SINCE = months_before(TODAY, 24), months_before(TODAY, 12)
LONG_AGO = "UPDATE analytics_cache SET computed_at = '2020-01-01'"


def quietly(_counts: RefreshCounts, _of: int) -> None: ...


async def refreshed(database: Database, found_by: str = "refresh") -> RefreshCounts:
    return await refresh_all(database, found_by, quietly, asyncio.Event())


def claims_of(months: range) -> list[EventSpec]:
    """Some of each of the months before this one: paid, waiting, and a draft."""
    events = []
    for number in months:
        day = str(months_before(TODAY, number) + timedelta(days=number % 20))
        events += [
            submitted(f"{number}", date_of_service=day),
            paid(f"{number}", date_of_service=day),
            submitted(f"{number} waiting", provider="Q", date_of_service=day),
            saved(f"{number} draft", provider="R", submission_deadline="2030-01-01"),
        ]
    return events


async def test_it_confirms_what_is_right_and_removes_what_lies_before_the_horizon(
    database: Database, observer: Connection
) -> None:
    events = claims_of(range(30))
    said = [
        suggestion(
            str(number),
            number,
            created_at=datetime.combine(months_before(TODAY, number), time(18), UTC),
            created_day=months_before(TODAY, number),
        )
        for number in range(30)
    ]
    await apply(database, *events)
    await apply_suggestions(database, *said)
    await settled(database, observer)
    await observer.execute(LONG_AGO)
    counts = await refreshed(database)
    known = tables([*map(to_plain, events), *map(plain, said)], HORIZON)
    assert await settled(database, observer) == known
    assert await observer.fetchval("SELECT first_month FROM cache_horizon") == HORIZON
    assert (await verify(database)).clean
    confirmed = """SELECT count(*) FROM analytics_cache WHERE computed_at > '2020-01-01'
        AND (period_start >= $1 OR period_start = period_end)"""
    assert counts == RefreshCounts(
        providers=3,
        confirmed_rows=await observer.fetchval(confirmed, SINCE),
        removed_rows=counts.removed_rows,
        done=True,
    )
    assert counts.removed_rows > 0
    left = "SELECT max(period_start) FROM analytics_cache WHERE computed_at = '2020-01-01'"
    assert await observer.fetchval(left) < SINCE
    assert await observer.fetchval("SELECT count(*) FROM provider_freshness") == 3
    assert not await observer.fetchval("SELECT count(*) FROM repaired_rows")
    assert (await refreshed(database)).removed_rows == 0


async def test_a_row_that_was_falsified_is_repaired_kept_and_counted(
    database: Database, observer: Connection
) -> None:
    events = claims_of(range(14))
    await apply(database, *events)
    await settled(database, observer)
    falsified = """UPDATE analytics_cache SET value = '{"count": 7, "amount": "7.00"}'
        WHERE metric_key = 'claims_paid' AND period_start = $1 AND dimensions IS NULL"""
    await observer.execute(falsified, months_before(TODAY, 3))
    await observer.execute(falsified, months_before(TODAY, 13))  # is no more looked at
    await observer.execute("DELETE FROM analytics_cache WHERE metric_key = 'stale_claims'")
    counts = await refreshed(database, "nightly")
    assert counts.repaired_rows == 3  # of stale claims the total, and the payer's
    kept = await observer.fetchrow(
        "SELECT * FROM repaired_rows WHERE metric_key = 'claims_paid' AND dimensions IS NULL"
    )
    assert (kept["found_by"], kept["provider_id"]) == ("nightly", uuid_of("provider P"))
    assert kept["value_before"] == '{"count": 7, "amount": "7.00"}'
    assert kept["value_after"] == '{"count": 1, "amount": "40.00"}'
    wrong = (await verify(database)).wrong_rows
    assert [row.period_start for row in wrong] == [months_before(TODAY, 13)]


async def test_the_horizon_moves_beside_batches_and_nothing_is_counted_by_the_old_one(
    database: Database, observer: Connection, migrated_url: str
) -> None:
    """A batch of old months holds its providers when the refresh begins, others follow."""
    events = claims_of(range(20, 30))
    Random(1).shuffle(events)
    first, others = events[:10], events[10:]
    await apply(database, *first)
    held = "SELECT FROM analytics_cache FOR UPDATE"
    async with asyncio.TaskGroup() as group:
        async with transaction_of_another(migrated_url, held):
            group.create_task(apply(database, *first[:5], *others[:10]))
            await until_waiting(observer, 1)
            refresh = group.create_task(refreshed(database))
            await asyncio.sleep(2 * LOCK_MILLISECONDS / 1000)  # it has let others by, and waits
            assert await observer.fetchval("SELECT count(*) FROM cache_horizon") == 0
        for event in others:
            await apply(database, event)
    assert refresh.result().done
    assert await settled(database, observer) == expected(*events, first_month=HORIZON)
    assert (await verify(database)).clean


async def test_of_providers_that_wait_to_be_filled_the_new_keys_are_left_alone(
    database: Database, observer: Connection
) -> None:
    await apply(database, *claims_of(range(6)))
    await settled(database, observer)
    await left_by_an_older_version(observer)
    assert (await refreshed(database)).repaired_rows == 0
    found = await verify(database)
    assert (found.clean, found.not_filled) == (True, 3)


async def test_one_provider_can_be_refreshed_alone_and_an_unknown_one_is_none(
    database: Database, observer: Connection
) -> None:
    await apply(database, *claims_of(range(3)))
    await observer.execute(LONG_AGO)
    assert (await refresh_provider(database, uuid_of("provider Q"))).providers == 1
    fresh = "SELECT DISTINCT provider_id FROM analytics_cache WHERE computed_at > '2020-01-01'"
    assert [row["provider_id"] for row in await observer.fetch(fresh)] == [uuid_of("provider Q")]
    assert (await refresh_provider(database, uuid_of("nobody"))).providers == 0
    assert await observer.fetchval("SELECT count(*) FROM cache_horizon") == 0


async def test_it_stops_when_it_is_told_to_and_says_that_it_is_not_done(
    database: Database, observer: Connection
) -> None:
    await apply(database, *claims_of(range(2)))
    stop = asyncio.Event()

    def stopping(*_: Any) -> None:
        stop.set()

    counts = await refresh_all(database, "refresh", stopping, stop)
    assert (counts.providers, counts.done) == (1, False)


def test_months_are_counted_back_over_years() -> None:
    assert months_before(date(2026, 1, 31), 0) == date(2026, 1, 1)
    assert months_before(date(2026, 1, 31), 1) == date(2025, 12, 1)
    assert months_before(date(2026, 11, 30), 24) == date(2024, 11, 1)
