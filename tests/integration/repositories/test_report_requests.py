"""One row for each request, however often it is delivered."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from asyncpg import Connection

from repositories.errors import DatabaseRefused
from repositories.offsets import stored_offset
from repositories.postgres.database import Database
from repositories.reports.requests import RecordedRequests
from repositories.vocabulary import ReportFormat, ReportType
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import TOPIC, next_offset
from tests.integration.repositories.report_examples import (
    JWE,
    REQUESTED_AT,
    P,
    announced,
    claimed,
    end_lease,
    fail,
    finish,
    record,
    report_id,
    report_row,
    request,
)
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

PROBLEM = "ACCOUNTANT_SUMMARY reports come as CSV or PDF, not as ZIP."
IMPOSSIBLE: dict[str, Any] = {"format": ReportFormat.ZIP, "problem": PROBLEM}


async def test_a_request_becomes_a_pending_report_and_a_job(
    database: Database, observer: Connection
) -> None:
    given = request(archive_password=JWE)
    assert await record(database, given) == RecordedRequests(created=1, known=0)
    row = await report_row(observer)
    assert {name: row[name] for name in vars(given) if name in row} == {
        name: value for name, value in vars(given).items() if name != "problem"
    }
    assert (row["status"], row["error_message"], row["last_error"]) == ("pending", None, None)
    assert (row["attempts"], row["lease_token"], row["wrapped_key"]) == (0, None, None)
    assert await announced(observer) == []


async def test_a_pending_report_names_a_file_that_nobody_has_written(
    database: Database, observer: Connection
) -> None:
    await record(database, request())
    row = await report_row(observer)
    assert row["file_path"].startswith(f"reports/{P}/{report_id()}.1.")
    assert row["file_size_bytes"] == 0


@pytest.mark.parametrize(
    ("report_type", "scheduled", "kept"),
    [
        (ReportType.WEEKLY_SUMMARY, True, timedelta(days=90)),
        (ReportType.WEEKLY_SUMMARY, False, timedelta(days=30)),
        (ReportType.DATA_PORTABILITY, False, timedelta(hours=72)),
        (ReportType.DATA_PORTABILITY, True, timedelta(hours=72)),
    ],
)
async def test_while_pending_the_download_ends_so_long_after_the_request(
    database: Database,
    observer: Connection,
    report_type: ReportType,
    scheduled: bool,
    kept: timedelta,
) -> None:
    await record(database, request(report_type=report_type, scheduled=scheduled))
    row = await report_row(observer)
    assert row["download_link_expires_at"] == REQUESTED_AT + kept


async def test_an_impossible_request_becomes_a_failed_report_that_is_announced(
    database: Database, observer: Connection
) -> None:
    await record(database, request(**IMPOSSIBLE), request("B"))
    row = await report_row(observer)
    assert (row["status"], row["error_message"], row["due_at"]) == ("failed", PROBLEM, None)
    [announcement] = await announced(observer)
    assert announcement["event_type"] == "ca.meritum.report.failed.v1"
    assert announcement["data"]["report_id"] == str(report_id())
    assert announcement["data"]["error_message"] == PROBLEM


async def test_an_impossible_request_keeps_no_password_and_is_never_worked_on(
    database: Database, observer: Connection
) -> None:
    await record(database, request(**IMPOSSIBLE, archive_password=JWE), request("B"))
    assert (await report_row(observer))["archive_password"] is None
    assert (await claimed(database)).report_id == report_id("B")


async def _pending(database: Database, observer: Connection) -> None:
    await record(database, request())


async def _generating(database: Database, observer: Connection) -> None:
    await _pending(database, observer)
    await claimed(database)


async def _left_by_a_dead_worker(database: Database, observer: Connection) -> None:
    await _generating(database, observer)
    await end_lease(observer)


async def _ready(database: Database, observer: Connection) -> None:
    await _pending(database, observer)
    await finish(database, await claimed(database))


async def _failed(database: Database, observer: Connection) -> None:
    await _pending(database, observer)
    await fail(database, await claimed(database))


async def _impossible(database: Database, observer: Connection) -> None:
    await record(database, request(**IMPOSSIBLE))


@pytest.mark.parametrize(
    "state", [_pending, _generating, _left_by_a_dead_worker, _ready, _failed, _impossible]
)
@pytest.mark.parametrize("given", [request(), request(provider="Q"), request(**IMPOSSIBLE)])
async def test_a_request_that_is_known_changes_no_report_in_any_state(
    database: Database, observer: Connection, state: Any, given: Any
) -> None:
    await record(database, request("B", "Q", requested_at=REQUESTED_AT + timedelta(days=9)))
    await observer.execute("UPDATE report_jobs SET due_at = due_at + interval '1 h'")
    await state(database, observer)
    before = await dump(observer)
    assert await record(database, given) == RecordedRequests(created=0, known=1)
    assert await dump(observer) == before


async def test_of_twins_in_a_batch_the_first_counts(
    database: Database, observer: Connection
) -> None:
    batch = [request("B"), request(), request("B", "Q"), request()]
    assert await record(database, *batch) == RecordedRequests(created=2, known=2)
    assert (await report_row(observer, "B"))["provider_id"] == P


async def test_a_request_whose_time_lies_ahead_is_due_at_once(database: Database) -> None:
    await record(database, request(requested_at=REQUESTED_AT.replace(year=2100)))
    assert (await claimed(database)).report_id == report_id()


async def test_a_batch_of_thousands_is_recorded_whole(
    database: Database, observer: Connection
) -> None:
    batch = [request(f"{n}", f"{n % 7}") for n in range(2_500)]
    assert await record(database, *batch) == RecordedRequests(created=2_500, known=0)
    assert await observer.fetchval("SELECT count(*) FROM report_jobs") == 2_500


async def test_offsets_are_stored_with_the_requests(database: Database) -> None:
    await record(database, request(), offsets=[next_offset(8)])
    assert await stored_offset(database, "group", TOPIC, 0) == 8


async def test_offsets_are_stored_without_any_request(database: Database) -> None:
    assert await record(database, offsets=[next_offset(8)]) == RecordedRequests(0, 0)
    assert await stored_offset(database, "group", TOPIC, 0) == 8


async def test_a_batch_that_fails_leaves_nothing(database: Database, observer: Connection) -> None:
    before = await dump(observer)
    with pytest.raises(DatabaseRefused):
        await record(
            database,
            request(),
            request("B", archive_password="\0"),
            request("C", **IMPOSSIBLE),
            offsets=[next_offset(8)],
        )
    assert await dump(observer) == before


async def test_two_consumers_with_the_same_request_make_one_report(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """Both wait for a third that creates the provider, so that they meet."""
    batches = [[request(f"{n}") for n in order] for order in (range(5), range(4, -1, -1))]
    create_provider = "INSERT INTO providers (provider_id) VALUES ($1)"
    async with transaction_of_another(migrated_url, create_provider, P):
        both = [asyncio.create_task(record(database, *batch)) for batch in batches]
        await until_waiting(observer, 2)
    outcomes = await asyncio.gather(*both)
    assert sum(outcome.created for outcome in outcomes) == 5
    assert sum(outcome.known for outcome in outcomes) == 5
    assert await observer.fetchval("SELECT count(*) FROM generated_reports") == 5


async def test_the_announcement_has_the_time_of_the_recording(
    database: Database, observer: Connection
) -> None:
    await record(database, request(**IMPOSSIBLE))
    created_at: datetime = (await report_row(observer))["created_at"]
    assert (await announced(observer))[0]["occurred_at"] == created_at
