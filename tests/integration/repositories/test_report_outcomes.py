"""Ready, failed, and tried again: each announced once, with what it makes true."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asyncpg import Connection

from repositories.errors import DatabaseRefused
from repositories.postgres.database import Database
from repositories.reports.outcomes import PastReport, Retry, expire_reports, retry_report
from repositories.vocabulary import ReportFormat, ReportType
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.report_examples import (
    JWE,
    REQUESTED_AT,
    P,
    Q,
    announced,
    claimed,
    fail,
    finish,
    let_time_pass,
    record,
    report_id,
    report_row,
    request,
    requested_and_claimed,
)

KEPT = timedelta(days=30)


async def test_a_finished_report_is_ready_with_its_size_and_key(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(database, archive_password=JWE)
    assert await finish(database, job)
    row = await report_row(observer)
    assert (row["status"], row["file_size_bytes"], row["file_path"]) == (
        "ready", 4711, job.file_path,
    )  # fmt: skip
    assert (row["wrapped_key"], row["key_id"]) == (b"wrapped", "k1")
    assert (row["due_at"], row["lease_token"], row["leased_until"]) == (None, None, None)
    assert row["archive_password"] is None


@pytest.mark.parametrize(
    ("report_type", "scheduled", "kept"),
    [
        (ReportType.WEEKLY_SUMMARY, True, timedelta(days=90)),
        (ReportType.WEEKLY_SUMMARY, False, KEPT),
        (ReportType.DATA_PORTABILITY, False, timedelta(hours=72)),
    ],
)
async def test_the_download_ends_so_long_after_readiness(
    database: Database,
    observer: Connection,
    report_type: ReportType,
    scheduled: bool,
    kept: timedelta,
) -> None:
    job = await requested_and_claimed(database, report_type=report_type, scheduled=scheduled)
    await finish(database, job)
    [announcement] = await announced(observer)
    ready_at = announcement["occurred_at"]
    assert abs(datetime.now(UTC) - ready_at) < timedelta(minutes=1)
    assert (await report_row(observer))["download_link_expires_at"] == ready_at + kept


async def test_a_ready_report_is_announced(database: Database, observer: Connection) -> None:
    await finish(database, await requested_and_claimed(database))
    [announcement] = await announced(observer)
    assert announcement["topic"] == "report-status"
    assert announcement["message_key"] == str(P)
    assert announcement["event_type"] == "ca.meritum.report.ready.v1"
    assert announcement["published_at"] is None
    assert announcement["data"] == {
        "report_id": str(report_id()),
        "provider_id": str(P),
        "report_type": "ACCOUNTANT_SUMMARY",
        "format": "PDF",
        "period_start": "2025-01-01",
        "period_end": "2025-12-31",
        "scheduled": False,
        "status": "ready",
        "file_size_bytes": 4711,
        "download_link_expires_at": (announcement["occurred_at"] + KEPT).isoformat(),
        "error_message": None,
    }


async def test_a_report_that_is_given_up_is_failed_and_says_so(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(database, archive_password=JWE)
    assert await fail(database, job)
    row = await report_row(observer)
    assert (row["status"], row["error_message"]) == ("failed", "Report generation failed.")
    assert (row["last_error"], row["due_at"], row["lease_token"]) == ("renderer", None, None)
    assert row["archive_password"] == JWE
    assert row["download_link_expires_at"] == REQUESTED_AT + KEPT
    [announcement] = await announced(observer)
    assert announcement["event_type"] == "ca.meritum.report.failed.v1"
    assert announcement["data"]["status"] == "failed"
    assert announcement["data"]["error_message"] == "Report generation failed."
    assert announcement["data"]["file_size_bytes"] == 0


@pytest.mark.parametrize("status", ["pending", "ready", "failed", "expired"])
@pytest.mark.parametrize("end", [finish, fail])
async def test_a_report_that_is_not_generating_can_not_be_ended_under_any_lease(
    database: Database, observer: Connection, end: Any, status: str
) -> None:
    job = await requested_and_claimed(database)
    await observer.execute("UPDATE generated_reports SET status = $1", status)
    before = await dump(observer)
    with pytest.raises(DatabaseRefused):
        await end(database, job)
    assert await dump(observer) == before


async def test_when_the_announcement_fails_the_report_is_not_ready(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(database)
    before = await dump(observer)
    await observer.execute("ALTER TABLE outbox ADD CONSTRAINT full_disk CHECK (false) NOT VALID")
    try:
        with pytest.raises(DatabaseRefused):
            await finish(database, job)
    finally:
        await observer.execute("ALTER TABLE outbox DROP CONSTRAINT full_disk")
    assert await dump(observer) == before
    assert await finish(database, job)


async def test_a_failed_report_can_be_tried_again_from_the_start(
    database: Database, observer: Connection
) -> None:
    await fail(database, await requested_and_claimed(database, archive_password=JWE))
    assert await retry_report(database, P, report_id()) is Retry.PENDING
    row = await report_row(observer)
    assert (row["status"], row["error_message"]) == ("pending", None)
    job = await claimed(database)
    assert (job.attempt, job.tries, job.archive_password) == (2, 1, JWE)
    assert await finish(database, job)
    types = [announcement["event_type"] for announcement in await announced(observer)]
    assert types == ["ca.meritum.report.failed.v1", "ca.meritum.report.ready.v1"]
    assert (await report_row(observer))["last_error"] is None


async def test_a_ready_report_whose_file_is_lost_is_made_again_under_another_name(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(database)
    await finish(database, job)
    retried = await retry_report(database, P, report_id(), lost="reports/another-file")
    assert retried is Retry.NOT_FAILED
    assert await retry_report(database, P, report_id(), lost=job.file_path) is Retry.PENDING
    row = await report_row(observer)
    assert (row["status"], row["wrapped_key"]) == ("pending", None)
    assert row["file_path"] != job.file_path
    assert await finish(database, await claimed(database))


async def test_a_lost_archive_is_not_made_again_without_the_password_that_was_forgotten(
    database: Database, observer: Connection
) -> None:
    job = await requested_and_claimed(
        database,
        report_type=ReportType.DATA_PORTABILITY,
        format=ReportFormat.ZIP,
        archive_password=JWE,
    )
    await finish(database, job)
    before = await dump(observer)
    assert await retry_report(database, P, report_id(), lost=job.file_path) is Retry.FORGOTTEN
    assert await dump(observer) == before


async def _pending(database: Database, _: Connection) -> None:
    await record(database, request())


async def _generating(database: Database, _: Connection) -> None:
    await requested_and_claimed(database)


async def _ready(database: Database, _: Connection) -> None:
    await finish(database, await requested_and_claimed(database))


async def _expired(database: Database, observer: Connection) -> None:
    await _ready(database, observer)
    await let_time_pass(observer)
    assert await expire_reports(database, [PastReport(report_id(), P, "")])


@pytest.mark.parametrize("state", [_pending, _generating, _ready, _expired])
async def test_only_a_failed_report_can_be_tried_again(
    database: Database, observer: Connection, state: Any
) -> None:
    await state(database, observer)
    before = await dump(observer)
    assert await retry_report(database, P, report_id()) is Retry.NOT_FAILED
    assert await dump(observer) == before


async def test_another_providers_report_can_not_be_tried_again(
    database: Database, observer: Connection
) -> None:
    await fail(database, await requested_and_claimed(database))
    before = await dump(observer)
    assert await retry_report(database, Q, report_id()) is Retry.NOT_FOUND
    assert await retry_report(database, P, report_id("nobody's")) is Retry.NOT_FOUND
    assert await dump(observer) == before


async def test_an_impossible_request_stays_failed(database: Database, observer: Connection) -> None:
    await record(database, request(problem="No such report.", format=ReportFormat.ZIP))
    before = await dump(observer)
    assert await retry_report(database, P, report_id()) is Retry.IMPOSSIBLE
    assert await dump(observer) == before


async def test_of_retries_at_once_one_is_obeyed(database: Database) -> None:
    await fail(database, await requested_and_claimed(database))
    answers = await asyncio.gather(*(retry_report(database, P, report_id()) for _ in range(8)))
    assert sorted(answers) == [Retry.NOT_FAILED] * 7 + [Retry.PENDING]
