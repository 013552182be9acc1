"""How a report ends: `generating → ready | failed`, `failed → pending` by retry, `ready → expired`.

A ready report whose file is lost goes back to `pending` by retry too. The announcement is written
in the transaction that makes it true. Times are the database's, never an instance's.

Of reports past their time delete the files first, then `expire_reports`. A crash in between leaves
the report ready, with its time past: it is refused by time as before, the next cleanup finds it
again, and that its file is already gone is fine. The other order would announce files as gone that
are still there, and leave them to the sweep of orphans.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update

from repositories.postgres.clock import now
from repositories.postgres.database import Database
from repositories.postgres.notifications import Channel, notify
from repositories.records import SelectGeneratedReport
from repositories.reports.catalogue import kept_until
from repositories.reports.generated_reports import announce_status, change_report, report_by_id
from repositories.reports.jobs import NO_LEASE, ClaimedJob, update_held
from repositories.reports.requests import IMPOSSIBLE
from repositories.reports.stored_files import file_path
from repositories.reports.tables import generated_reports as reports
from repositories.reports.tables import report_jobs as jobs
from repositories.vocabulary import ReportFormat, ReportStatus

READY = reports.c.status == ReportStatus.READY
PAST = reports.c.download_link_expires_at <= func.clock_timestamp()


class Retry(StrEnum):
    """What became of the request to try a report again."""

    PENDING = "pending"  # it will be tried again
    NOT_FOUND = "not-found"  # the provider has no such report
    NOT_FAILED = "not-failed"  # it neither failed nor lost its file
    IMPOSSIBLE = "impossible"  # its request asks for something that does not exist
    FORGOTTEN = "forgotten"  # it may have had a password, which went with its readiness


class Expiry(NamedTuple):
    """Of `ready` reports so many are `past` their time."""

    past: int
    ready: int


class PastReport(NamedTuple):
    """A ready report whose time is over, and the key of its file."""

    report_id: UUID
    provider_id: UUID
    file_path: str


async def finish_job(
    database: Database,
    job: ClaimedJob,
    *,
    file_size_bytes: int,
    wrapped_key: bytes,
    key_id: str,
) -> bool:
    """Make the report ready, its file being complete under `job.file_path`, and announce it.

    The password of the request is forgotten. False if the lease was lost: nothing has changed, and
    the file is this worker's to delete.
    """

    def ready(at: datetime) -> Mapping[str, Any]:
        until = kept_until(job.report_type, scheduled=job.scheduled, since=at)
        return {
            "status": ReportStatus.READY,
            "file_size_bytes": file_size_bytes,
            "download_link_expires_at": until,
        }

    key = {"wrapped_key": wrapped_key, "key_id": key_id, "archive_password": None}
    return await _end(database, job, key, ready)


async def fail_job(database: Database, job: ClaimedJob, *, code: str, message: str) -> bool:
    """Give the report up, and announce that.

    `message` is for the physician; `code` (at most 50 characters) tells operators what happened.
    False if the lease was lost; nothing has changed then.
    """
    failed = {"status": ReportStatus.FAILED, "error_message": message}
    return await _end(database, job, {"last_error": code}, lambda _: failed)


async def retry_report(
    database: Database, provider_id: UUID, report_id: UUID, *, lost: str | None = None
) -> Retry:
    """Let a failed report be tried again, as often as a new one would be.

    `lost`: and a ready one whose file of this name the caller has not found in the store.
    """
    job_row = select(jobs).where(jobs.c.report_id == report_id).with_for_update()
    async with database.transaction() as connection:
        job = (await connection.execute(job_row)).one_or_none()
        report = await report_by_id(connection, provider_id, report_id)
        if job is None or report is None:
            return Retry.NOT_FOUND
        its_file_is_lost = report.status is ReportStatus.READY and report.file_path == lost
        if report.status is not ReportStatus.FAILED and not its_file_is_lost:
            return Retry.NOT_FAILED
        if job.last_error == IMPOSSIBLE:
            return Retry.IMPOSSIBLE
        if its_file_is_lost and report.format is ReportFormat.ZIP:
            return Retry.FORGOTTEN
        path = file_path(provider_id, report_id, job.attempts + 1, report.format)
        due = {"due_at": func.now(), "tries": 0, "wrapped_key": None, "key_id": None}
        await connection.execute(update(jobs).where(jobs.c.report_id == report_id).values(**due))
        pending = {"status": ReportStatus.PENDING, "error_message": None, "file_path": path}
        await change_report(connection, report_id, (report.status,), pending)
        await notify(connection, Channel.REPORT_JOBS)
    return Retry.PENDING


async def _end(
    database: Database,
    job: ClaimedJob,
    job_values: Mapping[str, Any],
    report_values: Callable[[datetime], Mapping[str, Any]],
) -> bool:
    over = {"due_at": None, "last_error": None, **NO_LEASE, **job_values}
    async with database.transaction() as connection:
        ended = await connection.execute(update_held(job).values(**over))
        if not ended.rowcount:
            return False
        at, generating = await now(connection), (ReportStatus.GENERATING,)
        report = await change_report(connection, job.report_id, generating, report_values(at))
        await announce_status(connection, [report], at, {job.report_id: job.traceparent})
    return True


async def expiry_of_reports(database: Database) -> Expiry:
    """How many reports of all providers are ready, and how many of these are past their time."""
    counts = select(func.count().filter(PAST), func.count()).where(READY)
    async with database.transaction() as connection:
        return Expiry(*(await connection.execute(counts)).one())


async def reports_past_expiry(database: Database, limit: int) -> Sequence[PastReport]:
    """All providers' ready reports whose download has ended, the oldest first."""
    columns = (reports.c[name] for name in PastReport._fields)
    past = select(*columns).where(READY, PAST)
    ordered = past.order_by(reports.c.download_link_expires_at).limit(limit)
    async with database.transaction() as connection:
        return [PastReport(*row) for row in await connection.execute(ordered)]


async def expire_reports(database: Database, past: Sequence[PastReport]) -> int:
    """Mark them as expired, forget the keys of their files, and announce it; returns how many.

    Those that are no longer ready, or not past their time, stay as they are.
    """
    report_ids = sorted(report.report_id for report in past)
    # Locked in order, so that two cleanups wait for one another and never deadlock.
    lock = select(jobs.c.report_id).where(jobs.c.report_id.in_(report_ids))
    expire = (
        update(reports)
        .where(reports.c.report_id.in_(report_ids), READY, PAST)
        .values(status=ReportStatus.EXPIRED)
        .returning(reports)
    )
    async with database.transaction() as connection:
        await connection.execute(lock.order_by(jobs.c.report_id).with_for_update())
        rows = (await connection.execute(expire)).mappings()
        expired = [SelectGeneratedReport(**row) for row in rows]
        gone = jobs.c.report_id.in_([report.report_id for report in expired])
        await connection.execute(update(jobs).where(gone).values(wrapped_key=None, key_id=None))
        await announce_status(connection, expired, await now(connection))
    return len(expired)
