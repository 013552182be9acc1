"""How the making of a report ends: `generating → ready | failed`, and `failed → pending` by retry.

The announcement is written in the transaction that makes it true.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.database import Database
from repositories.generated_reports import change_report, report_by_id
from repositories.report_announcements import announce_status
from repositories.report_catalogue import kept_until
from repositories.report_jobs import NO_LEASE, ClaimedJob, update_held
from repositories.report_paths import file_path
from repositories.report_requests import IMPOSSIBLE
from repositories.tables import report_jobs as jobs
from repositories.vocabulary import ReportStatus


class Retry(StrEnum):
    """What became of the wish to try a failed report again."""

    PENDING = "pending"  # it will be tried again
    NOT_FOUND = "not-found"  # the provider has no such report
    NOT_FAILED = "not-failed"  # only a failed report can be tried again
    IMPOSSIBLE = "impossible"  # its request asks for something that does not exist


async def finish_job(
    database: Database,
    job: ClaimedJob,
    *,
    file_size_bytes: int,
    wrapped_key: bytes,
    key_id: str,
    ready_at: datetime,
) -> bool:
    """Make the report ready, its file being complete under `job.file_path`, and announce it.

    The password of the request is forgotten. False if the lease was lost: nothing has changed, and
    the file is this worker's to delete.
    """
    return await _end(
        database,
        job,
        {"wrapped_key": wrapped_key, "key_id": key_id, "archive_password": None},
        {
            "status": ReportStatus.READY,
            "file_size_bytes": file_size_bytes,
            "download_link_expires_at": kept_until(
                job.report_type, scheduled=job.scheduled, since=ready_at
            ),
        },
        ready_at,
    )


async def fail_job(
    database: Database, job: ClaimedJob, *, code: str, message: str, failed_at: datetime
) -> bool:
    """Give the report up, and announce that.

    `message` is for the physician; `code` (at most 50 characters) tells operators what happened.
    False if the lease was lost; nothing has changed then.
    """
    failed = {"status": ReportStatus.FAILED, "error_message": message}
    return await _end(database, job, {"last_error": code}, failed, failed_at)


async def retry_report(database: Database, provider_id: UUID, report_id: UUID) -> Retry:
    """Let a failed report be tried again, as often as a new one would be."""
    job_row = select(jobs).where(jobs.c.report_id == report_id).with_for_update()
    async with database.transaction() as connection:
        job = (await connection.execute(job_row)).one_or_none()
        report = await report_by_id(connection, provider_id, report_id)
        if job is None or report is None:
            return Retry.NOT_FOUND
        if report.status is not ReportStatus.FAILED:
            return Retry.NOT_FAILED
        if job.last_error == IMPOSSIBLE:
            return Retry.IMPOSSIBLE
        path = file_path(provider_id, report_id, job.attempts + 1, report.format)
        await _reopen(connection, report_id, path)
    return Retry.PENDING


async def _end(
    database: Database,
    job: ClaimedJob,
    job_values: Mapping[str, Any],
    report_values: Mapping[str, Any],
    at: datetime,
) -> bool:
    over = {"due_at": None, "last_error": None, **NO_LEASE, **job_values}
    async with database.transaction() as connection:
        ended = await connection.execute(update_held(job).values(**over))
        if not ended.rowcount:
            return False
        generating = (ReportStatus.GENERATING,)
        report = await change_report(connection, job.report_id, generating, report_values)
        await announce_status(connection, [report], at)
    return True


async def _reopen(connection: AsyncConnection, report_id: UUID, path: str) -> None:
    due = {"due_at": func.now(), "tries": 0}
    await connection.execute(update(jobs).where(jobs.c.report_id == report_id).values(**due))
    pending = {"status": ReportStatus.PENDING, "error_message": None, "file_path": path}
    await change_report(connection, report_id, (ReportStatus.FAILED,), pending)
