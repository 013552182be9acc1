"""Turning report requests into rows: one each, however often a request is delivered."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.consumer_offsets import NextOffset, store_offsets
from repositories.database import Database
from repositories.generated_reports import as_record
from repositories.records import InsertGeneratedReport, SelectGeneratedReport
from repositories.report_announcements import announce_status
from repositories.report_catalogue import kept_until
from repositories.report_paths import file_path
from repositories.tables import generated_reports, providers, report_jobs
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType

IMPOSSIBLE = "impossible-request"  # `last_error` of a request that no retry can help


class ReportRequest(NamedTuple):
    """One request. `report_id` is its identity, and that of its row.

    `archive_password` is the compact JWE as it came. `requested_at` is the event's own time.
    `problem` says to the person who asked what is impossible about it; None if it can be done.
    `source_*` say where it was read from.
    """

    report_id: UUID
    provider_id: UUID
    report_type: ReportType
    format: ReportFormat
    period_start: date | None
    period_end: date | None
    scheduled: bool
    archive_password: str | None
    requested_at: datetime
    problem: str | None
    source_topic: str
    source_partition: int
    source_offset: int


class RecordedRequests(NamedTuple):
    """What became of a batch: `known` were there, in whatever state, and changed nothing."""

    created: int
    known: int


async def record_requests(
    database: Database, requests: Sequence[ReportRequest], offsets: Sequence[NextOffset]
) -> RecordedRequests:
    """Make a row and a job of each new request, and store `offsets`, in one transaction.

    An impossible request becomes a failed report, announced as such. Raises RepositoryErrors;
    after any of them nothing has changed.
    """
    async with database.transaction() as connection:
        created = await _record(connection, requests) if requests else 0
        await store_offsets(connection, offsets)
    return RecordedRequests(created, len(requests) - created)


async def _record(connection: AsyncConnection, requests: Sequence[ReportRequest]) -> int:
    """Of requests with one id the first counts. In order of keys, so that no batches deadlock."""
    first = {request.report_id: request for request in reversed(requests)}
    ordered = [first[report_id] for report_id in sorted(first)]
    await _add_providers(connection, {request.provider_id for request in ordered})
    created = await _insert_reports(connection, ordered)
    if created:
        jobs = [_job(first[report.report_id], report.created_at) for report in created]
        await connection.execute(insert(report_jobs), jobs)
        failed = [report for report in created if report.status is ReportStatus.FAILED]
        await announce_status(connection, failed, created[0].created_at)
    return len(created)


async def _add_providers(connection: AsyncConnection, provider_ids: Iterable[UUID]) -> None:
    rows = [{"provider_id": provider_id} for provider_id in sorted(provider_ids)]
    await connection.execute(upsert(providers).on_conflict_do_nothing(), rows)


async def _insert_reports(
    connection: AsyncConnection, requests: Sequence[ReportRequest]
) -> Sequence[SelectGeneratedReport]:
    statement = upsert(generated_reports).on_conflict_do_nothing(index_elements=["report_id"])
    rows = [asdict(_report(request)) for request in requests]
    created = await connection.execute(statement.returning(generated_reports), rows)
    return [as_record(row) for row in created.mappings()]


def _report(request: ReportRequest) -> InsertGeneratedReport:
    return InsertGeneratedReport(
        report_id=request.report_id,
        provider_id=request.provider_id,
        report_type=request.report_type,
        format=request.format,
        period_start=request.period_start,
        period_end=request.period_end,
        file_path=file_path(request.provider_id, request.report_id, 1, request.format),
        file_size_bytes=0,
        download_link_expires_at=kept_until(
            request.report_type, scheduled=request.scheduled, since=request.requested_at
        ),
        scheduled=request.scheduled,
        status=ReportStatus.FAILED if request.problem else ReportStatus.PENDING,
        error_message=request.problem,
    )


def _job(request: ReportRequest, recorded_at: datetime) -> dict[str, Any]:
    """Due since it was recorded, by the database's clock: the event's own may be ahead of it."""
    return {
        "report_id": request.report_id,
        "requested_at": request.requested_at,
        "archive_password": None if request.problem else request.archive_password,
        "source_topic": request.source_topic,
        "source_partition": request.source_partition,
        "source_offset": request.source_offset,
        "due_at": None if request.problem else recorded_at,
        "last_error": IMPOSSIBLE if request.problem else None,
    }
