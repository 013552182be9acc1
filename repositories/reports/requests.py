"""Turning report requests into rows: one each, however often a request is delivered."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.offsets import NextOffset, store_offsets
from repositories.operations.letters import NO_LETTERS, BatchLetters, not_erased, record_letters
from repositories.postgres.database import Database
from repositories.postgres.notifications import Channel, notify
from repositories.records import (
    REQUESTED,
    InsertGeneratedReport,
    RequestedReport,
    SelectGeneratedReport,
)
from repositories.reports.catalogue import kept_until
from repositories.reports.generated_reports import announce_status
from repositories.reports.stored_files import file_path
from repositories.reports.tables import generated_reports, report_jobs
from repositories.tables import providers
from repositories.tombstones import erased_providers
from repositories.vocabulary import ReportStatus

IMPOSSIBLE = "impossible-request"  # `last_error` of a request that no retry can help


@dataclass(frozen=True, kw_only=True)
class ReportRequest(RequestedReport):
    """One request. `report_id` is its identity, and that of its row.

    `archive_password` is the compact JWE as it came. `requested_at` is the event's own time.
    `problem` says to the person who asked what is impossible about it; None if it can be done.
    `source_*` say where it was read from, `traceparent` in which trace the announcement belongs.
    """

    archive_password: str | None = field(repr=False)
    requested_at: datetime
    problem: str | None
    source_topic: str
    source_partition: int
    source_offset: int
    traceparent: str | None = None


class RecordedRequests(NamedTuple):
    """What became of a batch.

    `known` were there, in whatever state, and changed nothing; nor did those of `erased` providers.
    """

    created: int
    known: int
    erased: int = 0


async def record_requests(
    database: Database,
    requests: Sequence[ReportRequest],
    offsets: Sequence[NextOffset],
    letters: BatchLetters = NO_LETTERS,
) -> RecordedRequests:
    """Make a row and a job of each new request, and store `letters` and `offsets`, in one
    transaction.

    An impossible request becomes a failed report, announced as such. Raises RepositoryErrors;
    after any of them nothing has changed.
    """
    async with database.transaction() as connection:
        dead = await not_erased(connection, letters.dead)
        erased = await erased_providers(connection, {it.provider_id for it in requests})
        kept = [request for request in requests if request.provider_id not in erased]
        created = await _record(connection, kept) if kept else 0
        await record_letters(connection, letters, dead)
        await store_offsets(connection, offsets)
    return RecordedRequests(created, len(kept) - created, len(requests) - len(kept))


async def _record(connection: AsyncConnection, requests: Sequence[ReportRequest]) -> int:
    """Of requests with one id the first counts. In order of keys, so that no batches deadlock."""
    first = {request.report_id: request for request in reversed(requests)}
    ordered = [first[report_id] for report_id in sorted(first)]
    owners = sorted({request.provider_id for request in ordered})
    await connection.execute(
        upsert(providers).on_conflict_do_nothing(), [{"provider_id": owner} for owner in owners]
    )
    new = upsert(generated_reports).on_conflict_do_nothing(index_elements=["report_id"])
    rows = await connection.execute(
        new.returning(generated_reports), [asdict(_report(request)) for request in ordered]
    )
    created = [SelectGeneratedReport(**row) for row in rows.mappings()]
    if created:
        jobs = [_job(first[report.report_id], report.created_at) for report in created]
        await connection.execute(insert(report_jobs), jobs)
        failed = [report for report in created if report.status is ReportStatus.FAILED]
        if len(failed) < len(created):
            await notify(connection, Channel.REPORT_JOBS)
        contexts = {report.report_id: first[report.report_id].traceparent for report in failed}
        await announce_status(connection, failed, created[0].created_at, contexts)
    return len(created)


def _report(request: ReportRequest) -> InsertGeneratedReport:
    return InsertGeneratedReport(
        **{name: getattr(request, name) for name in REQUESTED},
        file_path=file_path(request.provider_id, request.report_id, 1, request.format),
        file_size_bytes=0,
        download_link_expires_at=kept_until(
            request.report_type, scheduled=request.scheduled, since=request.requested_at
        ),
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
        "traceparent": request.traceparent,
        "due_at": None if request.problem else recorded_at,
        "last_error": IMPOSSIBLE if request.problem else None,
    }
