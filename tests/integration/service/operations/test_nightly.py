"""One nightly run over all instances, whatever becomes of the one that has it."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asyncpg import Connection

from repositories.postgres.database import Database
from service.operations.nightly import NightlyJob, NightlyPolicy
from service.operations.nights import Nights
from tests.harness.waiting import until, until_async
from tests.integration.repositories.examples import apply, paid, uuid_of
from tests.integration.repositories.waiting import transaction_of_another

POLICY = NightlyPolicy(look=0.05, lease=1.5)
LAST_MONTH = (datetime.now(UTC) - timedelta(days=31)).date().isoformat()
EVENTS = [paid(claim, provider=claim, date_of_service=LAST_MONTH) for claim in "PQR"]
LONG_AGO = "INSERT INTO job_runs (job, night, ended_at) VALUES ('nightly', '2020-01-01', now())"
RUNS = "SELECT * FROM job_runs WHERE night > '2020-01-01'"
LOCK_PROVIDER = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
FALSIFY = """
    UPDATE analytics_cache SET value = '{"count": 7}' WHERE metric_key = 'claims_paid'
    AND dimensions IS NULL AND provider_id = $1
"""
# An instance that can be killed: its job alone, without Kafka.
INSTANCE = """
import asyncio, sys
from datetime import time
from zoneinfo import ZoneInfo
from repositories.postgres.database import Database
from service.operations.nightly import NightlyJob, NightlyPolicy
from service.operations.nights import Nights
job = NightlyJob(Nights(time(), ZoneInfo("UTC")), NightlyPolicy(look=0.05, lease=1.5))
asyncio.run(job(Database(sys.argv[1]), asyncio.Event()))
"""


def job() -> NightlyJob:
    """Due at midnight, so that the night is the day in UTC."""
    return NightlyJob(Nights(time(), ZoneInfo("UTC")), POLICY)


@asynccontextmanager
async def instances(*databases: Database) -> AsyncIterator[None]:
    """An instance's job on each of them, stopped at the end."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for database in databases:
            group.create_task(job()(database, stop))
        yield
        stop.set()


async def runs(observer: Connection) -> list[Any]:
    return list(await observer.fetch(RUNS))


async def ended(observer: Connection) -> dict[str, int]:
    """Wait until the one run has ended; its counts."""

    async def has_ended() -> bool:
        found = await runs(observer)
        return bool(found) and found[0]["ended_at"] is not None

    await until_async(has_ended, "the end of the nightly run")
    [run] = await runs(observer)
    assert run["lease_token"] is None
    counts: dict[str, int] = json.loads(run["counts"])
    return counts


async def leased(observer: Connection) -> None:
    async def has_lease() -> bool:
        return any(run["lease_token"] for run in await runs(observer))

    await until_async(has_lease, "somebody's lease")


async def leased_until(observer: Connection) -> datetime:
    [run] = await runs(observer)
    moment: datetime = run["leased_until"]
    return moment


def begun(caplog: pytest.LogCaptureFixture) -> int:
    return caplog.messages.count("the nightly run begins")


async def test_two_instances_catch_up_all_missed_nights_with_one_run(
    migrated_url: str,
    database: Database,
    observer: Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    await apply(database, *EVENTS)
    await observer.execute(LONG_AGO)
    other = Database(migrated_url)
    async with instances(database, other):
        counts = await ended(observer)
        await asyncio.sleep(4 * POLICY.look)  # both look again
    await other.close()
    assert begun(caplog) == 1
    assert (counts["providers"], counts["repaired_rows"]) == (3, 0)
    assert counts["confirmed_rows"] > 0
    assert await observer.fetchval("SELECT count(*) FROM cache_horizon") == 1
    [line] = [it for it in caplog.records if it.message.startswith("the nightly run found")]
    assert line.levelno == logging.INFO


async def test_a_new_installation_has_missed_no_night(
    database: Database, observer: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with instances(database):
        await until_async(lambda: runs(observer), "the note of the first night")
        await asyncio.sleep(4 * POLICY.look)  # it has looked again
    [run] = await runs(observer)
    assert run["ended_at"]
    assert begun(caplog) == 0
    assert await observer.fetchval("SELECT count(*) FROM cache_horizon") == 0


async def test_what_was_wrong_is_repaired_kept_and_said_loudly(
    database: Database, observer: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    await apply(database, *EVENTS)
    await observer.execute(FALSIFY, uuid_of("provider P"))
    await observer.execute(LONG_AGO)
    async with instances(database):
        assert (await ended(observer))["repaired_rows"] == 1
    [line] = [it for it in caplog.records if it.levelno == logging.ERROR]
    assert line.message.startswith("the nightly run repaired 1 rows of analytics_cache")
    [kept] = await observer.fetch("SELECT * FROM repaired_rows")
    assert (kept["found_by"], kept["value_before"]) == ("nightly", '{"count": 7}')


async def test_another_takes_over_from_one_that_was_killed_once_its_lease_ends(
    migrated_url: str,
    database: Database,
    observer: Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What it repaired is told by the other."""
    caplog.set_level(logging.INFO)
    await apply(database, *EVENTS)
    first, *_, last = sorted(uuid_of(f"provider {name}") for name in "PQR")
    await observer.execute(FALSIFY, first)
    await observer.execute(LONG_AGO)
    async with transaction_of_another(migrated_url, LOCK_PROVIDER, last):
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", INSTANCE, migrated_url)
        try:
            await leased(observer)
            first_until = await leased_until(observer)

            async def is_renewed() -> bool:
                return await leased_until(observer) > first_until

            await until_async(is_renewed, "a lease that is renewed while a provider is waited for")
            killed.kill()
            await killed.wait()
            until_then = await leased_until(observer)
            async with instances(database):
                await until(lambda: begun(caplog) == 1, "the other's beginning")
                assert await observer.fetchval("SELECT clock_timestamp()") >= until_then
        finally:
            with suppress(ProcessLookupError):
                killed.kill()
            await killed.wait()
    [run] = await runs(observer)
    assert run["ended_at"] is None  # it was stopped within it, and gave it back:
    assert run["lease_token"] is None
    async with instances(database):
        counts = await ended(observer)
        assert (counts["providers"], counts["repaired_rows"]) == (3, 1)


async def test_one_that_lost_its_lease_leaves_the_run_to_the_other(
    migrated_url: str,
    database: Database,
    observer: Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A machine that was frozen, and wakes up."""
    await apply(database, *EVENTS)
    await observer.execute(LONG_AGO)
    lost = "UPDATE job_runs SET lease_token = gen_random_uuid(), leased_until = now() + '1 h'"
    async with (
        transaction_of_another(migrated_url, LOCK_PROVIDER, uuid_of("provider Q")),
        instances(database),
    ):
        await leased(observer)
        await observer.execute(f"{lost} WHERE lease_token IS NOT NULL")
        await until(lambda: any("lost its lease" in it for it in caplog.messages), "the line")
    [run] = await runs(observer)
    assert run["lease_token"]
    assert run["ended_at"] is None


async def test_an_earlier_night_that_nobody_ended_is_waited_for_and_covered_by_the_next(
    database: Database, observer: Connection
) -> None:
    await observer.execute(
        "INSERT INTO job_runs (job, night, lease_token, leased_until) VALUES"
        " ('nightly', '2020-01-01', gen_random_uuid(), clock_timestamp() + '0.5 s')"
    )
    async with instances(database):
        await asyncio.sleep(4 * POLICY.look)  # both have looked
        assert await runs(observer) == []
        await ended(observer)
    counts = await observer.fetchval("SELECT counts FROM job_runs WHERE night = '2020-01-01'")
    assert "covered_by" in json.loads(counts)
