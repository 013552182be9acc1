"""Report requests for tests that name each report, steps of a report's life, and its rows."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import asyncpg

from repositories.offsets import NextOffset
from repositories.postgres.database import Database
from repositories.reports.jobs import ClaimedJob, claim_job
from repositories.reports.outcomes import fail_job, finish_job
from repositories.reports.queries import ReportQueries
from repositories.reports.requests import RecordedRequests, ReportRequest, record_requests
from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ReportFormat, ReportType
from tests.integration.repositories.examples import uuid_of

P, Q = uuid_of("provider P"), uuid_of("provider Q")
YEAR = (date(2024, 1, 1), date(2024, 12, 31))
Row = TypeVar("Row")
REQUESTED_AT = datetime(2026, 1, 16, 16, 30, 1, tzinfo=UTC)
LEASE = 3600.0
JWE = "eyJhbGciOiJFQ0RIIn0.a.b.c.d"


def report_id(name: str = "A") -> Any:
    return uuid_of(f"report {name}")


def request(name: str = "A", provider: str = "P", **given: Any) -> ReportRequest:
    usual: dict[str, Any] = {
        "report_id": report_id(name),
        "provider_id": uuid_of(f"provider {provider}"),
        "report_type": ReportType.ACCOUNTANT_SUMMARY,
        "format": ReportFormat.PDF,
        "period_start": date(2025, 1, 1),
        "period_end": date(2025, 12, 31),
        "scheduled": False,
        "archive_password": None,
        "requested_at": REQUESTED_AT,
        "problem": None,
        "source_topic": "report-request",
        "source_partition": 0,
        "source_offset": 7,
    }
    return ReportRequest(**(usual | given))


async def record(
    database: Database, *requests: ReportRequest, offsets: Sequence[NextOffset] = ()
) -> RecordedRequests:
    return await record_requests(database, requests, offsets)


async def claimed(database: Database, lease_seconds: float = LEASE) -> ClaimedJob:
    job = await claim_job(database, lease_seconds)
    assert job is not None
    return job


async def requested_and_claimed(database: Database, **given: Any) -> ClaimedJob:
    await record(database, request(**given))
    return await claimed(database)


async def finish(database: Database, job: ClaimedJob) -> bool:
    return await finish_job(
        database, job, file_size_bytes=4711, wrapped_key=b"wrapped", key_id="k1"
    )


async def fail(database: Database, job: ClaimedJob) -> bool:
    return await fail_job(database, job, code="renderer", message="Report generation failed.")


async def end_lease(observer: asyncpg.Connection) -> None:
    """As if the time of every lease had passed."""
    await observer.execute(
        "UPDATE report_jobs SET leased_until = now() - interval '1 s', due_at = leased_until"
        " - interval '2 h' WHERE lease_token IS NOT NULL"
    )


async def let_time_pass(
    observer: asyncpg.Connection, name: str | None = None, *, within: str = "1000 days"
) -> None:
    """As if all reports, or this one, were past the end of their download by up to that."""
    await observer.execute(
        "UPDATE generated_reports SET download_link_expires_at = download_link_expires_at"
        " - $1::text::interval WHERE $2::uuid IS NULL OR report_id = $2",
        within,
        report_id(name) if name else None,
    )


async def report_row(observer: asyncpg.Connection, name: str = "A") -> dict[str, Any]:
    """The row of `generated_reports` and its job."""
    row = await observer.fetchrow(
        "SELECT * FROM report_jobs JOIN generated_reports USING (report_id) WHERE report_id = $1",
        report_id(name),
    )
    assert row is not None
    return dict(row)


async def announced(observer: asyncpg.Connection) -> list[dict[str, Any]]:
    """The announcements in order, their data as JSON."""
    rows = await observer.fetch("SELECT * FROM outbox ORDER BY seq")
    return [{**row, "data": json.loads(row["data"])} for row in rows]


@asynccontextmanager
async def queries(database: Database) -> AsyncIterator[ReportQueries]:
    """What the reports of P are made of."""
    async with database.snapshot() as connection:
        yield ReportQueries(connection, P)


async def read(database: Database, ask: Callable[[ReportQueries], AsyncIterator[Row]]) -> list[Row]:
    async with queries(database) as source:
        return [row async for row in ask(source)]


def ids(rows: list[ClaimRow]) -> list[Any]:
    return [row.claim_id for row in rows]


def claims(*names: str) -> list[Any]:
    return [uuid_of(f"claim {name}") for name in names]
