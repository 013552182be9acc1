"""The end of a download: `ready → expired`.

Delete the files of `reports_past_expiry` first, then `expire_reports`. A crash in between leaves
the report ready, with its time past: it is refused by time as before, the next cleanup finds it
again, and that its file is already gone is fine. The other order would announce files as gone that
are still there, and leave them to the sweep of orphans.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.database import Database
from repositories.generated_reports import as_record
from repositories.records import SelectGeneratedReport
from repositories.report_announcements import announce_status
from repositories.tables import generated_reports as reports
from repositories.tables import report_jobs as jobs
from repositories.vocabulary import ReportStatus


class PastReport(NamedTuple):
    """A ready report whose time is over, and the key of its file."""

    report_id: UUID
    provider_id: UUID
    file_path: str


async def reports_past_expiry(
    database: Database, now: datetime, limit: int
) -> Sequence[PastReport]:
    """All providers' ready reports whose download has ended by `now`, the oldest first."""
    columns = (reports.c[name] for name in PastReport._fields)
    ready = reports.c.status == ReportStatus.READY
    past = select(*columns).where(ready, reports.c.download_link_expires_at <= now)
    ordered = past.order_by(reports.c.download_link_expires_at).limit(limit)
    async with database.transaction() as connection:
        return [PastReport(*row) for row in await connection.execute(ordered)]


async def expire_reports(database: Database, past: Sequence[PastReport], now: datetime) -> int:
    """Mark them as expired, forget the keys of their files, and announce it; returns how many.

    Those that are no longer ready, or not past `now`, stay as they are.
    """
    report_ids = sorted(report.report_id for report in past)
    async with database.transaction() as connection:
        await _lock_jobs(connection, report_ids)
        expired = await _expire(connection, report_ids, now)
        await announce_status(connection, expired, now)
    return len(expired)


async def _lock_jobs(connection: AsyncConnection, report_ids: Sequence[UUID]) -> None:
    """In order, so that two cleanups wait for one another and never deadlock."""
    rows = select(jobs.c.report_id).where(jobs.c.report_id.in_(report_ids))
    await connection.execute(rows.order_by(jobs.c.report_id).with_for_update())


async def _expire(
    connection: AsyncConnection, report_ids: Sequence[UUID], now: datetime
) -> list[SelectGeneratedReport]:
    past: list[Any] = [
        reports.c.report_id.in_(report_ids),
        reports.c.status == ReportStatus.READY,
        reports.c.download_link_expires_at <= now,
    ]
    changed = update(reports).where(*past).values(status=ReportStatus.EXPIRED).returning(reports)
    expired = [as_record(row) for row in (await connection.execute(changed)).mappings()]
    gone = jobs.c.report_id.in_([report.report_id for report in expired])
    await connection.execute(update(jobs).where(gone).values(wrapped_key=None, key_id=None))
    return expired
