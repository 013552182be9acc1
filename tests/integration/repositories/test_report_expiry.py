"""`ready → expired`, when the download's time is over, and from nowhere else."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from asyncpg import Connection

from repositories.database import Database
from repositories.report_expiry import PastReport, expire_reports, reports_past_expiry
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.report_examples import (
    READY_AT,
    P,
    announced,
    finish,
    report_id,
    report_row,
    requested_and_claimed,
)

OVER = READY_AT + timedelta(days=30)
LONG_AFTER = OVER + timedelta(days=3650)


async def ready(database: Database, *names: str) -> None:
    for n, name in enumerate(names):
        job = await requested_and_claimed(database, name=name)
        await finish(database, job, READY_AT + timedelta(hours=n))


async def expire(database: Database, now: datetime, limit: int = 100) -> Sequence[PastReport]:
    past = await reports_past_expiry(database, now, limit)
    assert await expire_reports(database, past, now) == len(past)
    return past


async def test_a_report_is_past_its_time_from_the_very_moment(database: Database) -> None:
    await ready(database, "A")
    assert await reports_past_expiry(database, OVER - timedelta(microseconds=1), 9) == []
    path = f"reports/{P}/{report_id()}.1.pdf.enc"
    assert await reports_past_expiry(database, OVER, 9) == [PastReport(report_id(), P, path)]


async def test_an_expired_report_has_lost_its_key_and_is_announced(
    database: Database, observer: Connection
) -> None:
    await ready(database, "A")
    await expire(database, OVER)
    row = await report_row(observer)
    assert (row["status"], row["wrapped_key"], row["key_id"]) == ("expired", None, None)
    last = (await announced(observer))[-1]
    assert (last["event_type"], last["occurred_at"]) == ("ca.meritum.report.expired.v1", OVER)
    assert last["data"]["status"] == "expired"


async def test_the_oldest_expire_first_and_no_more_than_asked_for(database: Database) -> None:
    await ready(database, "A", "B", "C")
    first = await expire(database, LONG_AFTER, limit=2)
    second = await expire(database, LONG_AFTER, limit=2)
    assert [report.report_id for report in first] == [report_id("A"), report_id("B")]
    assert [report.report_id for report in second] == [report_id("C")]
    assert await expire(database, LONG_AFTER) == []


async def test_a_report_that_is_not_past_its_time_stays(
    database: Database, observer: Connection
) -> None:
    await ready(database, "A")
    before = await dump(observer)
    past = [PastReport(report_id(), P, "")]
    assert await expire_reports(database, past, OVER - timedelta(seconds=1)) == 0
    assert await dump(observer) == before


@pytest.mark.parametrize("status", ["pending", "generating", "failed", "expired"])
async def test_a_report_that_is_not_ready_does_not_expire(
    database: Database, observer: Connection, status: str
) -> None:
    await ready(database, "A")
    await observer.execute("UPDATE generated_reports SET status = $1", status)
    before = await dump(observer)
    assert await reports_past_expiry(database, LONG_AFTER, 9) == []
    assert await expire_reports(database, [PastReport(report_id(), P, "")], LONG_AFTER) == 0
    assert await dump(observer) == before


async def test_two_cleanups_at_once_announce_each_report_once(
    database: Database, observer: Connection
) -> None:
    names = [f"{n}" for n in range(10)]
    await ready(database, *names)
    past = await reports_past_expiry(database, LONG_AFTER, 100)
    counts = await asyncio.gather(
        expire_reports(database, past, LONG_AFTER),
        expire_reports(database, past[::-1], LONG_AFTER),
    )
    assert sum(counts) == 10
    types = [one["event_type"] for one in await announced(observer)]
    assert types.count("ca.meritum.report.expired.v1") == 10


async def test_nothing_to_expire_is_no_error(database: Database) -> None:
    assert await expire_reports(database, [], OVER) == 0
