"""`ready → expired`, when the download's time is over, and from nowhere else."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import Connection

from repositories.postgres.database import Database
from repositories.reports.outcomes import (
    Expiry,
    PastReport,
    expire_reports,
    expiry_of_reports,
    reports_past_expiry,
)
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.report_examples import (
    P,
    announced,
    finish,
    let_time_pass,
    report_id,
    report_row,
    requested_and_claimed,
)


async def ready(database: Database, *names: str) -> None:
    for name in names:
        await finish(database, await requested_and_claimed(database, name=name))


async def expire(database: Database, limit: int = 100) -> Sequence[PastReport]:
    past = await reports_past_expiry(database, limit)
    assert await expire_reports(database, past) == len(past)
    return past


async def test_a_report_is_past_its_time_by_the_databases_clock(
    database: Database, observer: Connection
) -> None:
    await ready(database, "A", "B")
    await let_time_pass(observer, "A", within="29 days 23 hours 59 minutes")
    assert await reports_past_expiry(database, 9) == []
    assert await expiry_of_reports(database) == Expiry(past=0, ready=2)
    await let_time_pass(observer, "A", within="1 minute")
    path = (await report_row(observer))["file_path"]
    assert await reports_past_expiry(database, 9) == [PastReport(report_id(), P, path)]
    assert await expiry_of_reports(database) == Expiry(past=1, ready=2)


async def test_an_expired_report_has_lost_its_key_and_is_announced(
    database: Database, observer: Connection
) -> None:
    await ready(database, "A")
    await let_time_pass(observer)
    await expire(database)
    row = await report_row(observer)
    assert (row["status"], row["wrapped_key"], row["key_id"]) == ("expired", None, None)
    last = (await announced(observer))[-1]
    assert last["event_type"] == "ca.meritum.report.expired.v1"
    assert abs(datetime.now(UTC) - last["occurred_at"]) < timedelta(minutes=1)
    assert last["data"]["status"] == "expired"


async def test_the_oldest_expire_first_and_no_more_than_asked_for(
    database: Database, observer: Connection
) -> None:
    await ready(database, "A", "B", "C")
    await let_time_pass(observer)
    first = await expire(database, limit=2)
    second = await expire(database, limit=2)
    assert [report.report_id for report in first] == [report_id("A"), report_id("B")]
    assert [report.report_id for report in second] == [report_id("C")]
    assert await expire(database) == []


async def test_a_report_that_is_not_past_its_time_stays(
    database: Database, observer: Connection
) -> None:
    await ready(database, "A")
    before = await dump(observer)
    past = [PastReport(report_id(), P, "")]
    assert await expire_reports(database, past) == 0
    assert await dump(observer) == before


@pytest.mark.parametrize("status", ["pending", "generating", "failed", "expired"])
async def test_a_report_that_is_not_ready_does_not_expire(
    database: Database, observer: Connection, status: str
) -> None:
    await ready(database, "A")
    await let_time_pass(observer)
    await observer.execute("UPDATE generated_reports SET status = $1", status)
    before = await dump(observer)
    assert await reports_past_expiry(database, 9) == []
    assert await expire_reports(database, [PastReport(report_id(), P, "")]) == 0
    assert await dump(observer) == before


async def test_two_cleanups_at_once_announce_each_report_once(
    database: Database, observer: Connection
) -> None:
    names = [f"{n}" for n in range(10)]
    await ready(database, *names)
    await let_time_pass(observer)
    past = await reports_past_expiry(database, 100)
    counts = await asyncio.gather(
        expire_reports(database, past), expire_reports(database, past[::-1])
    )
    assert sum(counts) == 10
    types = [one["event_type"] for one in await announced(observer)]
    assert types.count("ca.meritum.report.expired.v1") == 10


async def test_nothing_to_expire_is_no_error(database: Database) -> None:
    assert await expire_reports(database, []) == 0
