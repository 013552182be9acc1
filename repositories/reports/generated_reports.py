"""The rows of `generated_reports`: single providers' own, and all for the operators.

What the world is told of a report is its change of state, never its file or anything in it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.outbox import Announcement, announce
from repositories.postgres.database import Database
from repositories.records import SelectGeneratedReport
from repositories.reports.tables import generated_reports as reports
from repositories.vocabulary import ReportStatus, ReportType

TOPIC = "report-status"  # by its default name
EVENT_TYPES = {
    ReportStatus.READY: "ca.meritum.report.ready.v1",
    ReportStatus.FAILED: "ca.meritum.report.failed.v1",
    ReportStatus.EXPIRED: "ca.meritum.report.expired.v1",
}


async def report_by_id(
    connection: AsyncConnection, provider_id: UUID, report_id: UUID
) -> SelectGeneratedReport | None:
    """None if there is no such report, or it is another provider's."""
    its = (reports.c.report_id == report_id, reports.c.provider_id == provider_id)
    row = (await connection.execute(select(reports).where(*its))).mappings().one_or_none()
    return SelectGeneratedReport(**row) if row else None


async def list_reports(
    connection: AsyncConnection,
    provider_id: UUID,
    *,
    report_type: ReportType | None = None,
    status: ReportStatus | None = None,
    limit: int = 100,
) -> Sequence[SelectGeneratedReport]:
    """The provider's reports, newest first."""
    rows = select(reports).where(reports.c.provider_id == provider_id)
    if report_type:
        rows = rows.where(reports.c.report_type == report_type)
    return await _newest(connection, rows, status, limit)


async def list_all_providers_reports(
    connection: AsyncConnection, *, status: ReportStatus | None = None, limit: int = 100
) -> Sequence[SelectGeneratedReport]:
    """Every provider's reports, newest first: for the operators of the service alone."""
    return await _newest(connection, select(reports), status, limit)


async def count_reports(
    connection: AsyncConnection, since: timedelta | None = None
) -> dict[ReportStatus, int]:
    """How many there are in each state, of all providers; of states without any nothing. `since`:
    of those that were requested so lately."""
    counted = select(reports.c.status, func.count()).group_by(reports.c.status)
    if since:
        counted = counted.where(reports.c.created_at > func.now() - since)
    return dict((await connection.execute(counted)).all())


async def provider_of_report(connection: AsyncConnection, report_id: UUID) -> UUID | None:
    """Whose report it is: for the operators of the service alone."""
    owner = select(reports.c.provider_id).where(reports.c.report_id == report_id)
    return await connection.scalar(owner)


async def mark_downloaded(database: Database, provider_id: UUID, report_id: UUID) -> bool:
    """Note that the physician has the file; False unless the provider has such a ready report."""
    its = (reports.c.report_id == report_id, reports.c.provider_id == provider_id)
    ready = reports.c.status == ReportStatus.READY
    async with database.transaction() as connection:
        marked = await connection.execute(
            update(reports).where(*its, ready).values(downloaded=True)
        )
    return marked.rowcount > 0


async def change_report(
    connection: AsyncConnection,
    report_id: UUID,
    allowed: Sequence[ReportStatus],
    values: Mapping[str, Any],
) -> SelectGeneratedReport:
    """Change a row, in the transaction that holds the lock of its job, and return it.

    `allowed` are the states that it may come from. The caller has looked: a row in another one is
    a broken promise, the statement raises, and nothing of the transaction stays.
    """
    guarded = update(reports).where(reports.c.report_id == report_id, reports.c.status.in_(allowed))
    changed = await connection.execute(guarded.values(**values).returning(reports))
    return SelectGeneratedReport(**changed.mappings().one())


async def _newest(
    connection: AsyncConnection, rows: Select[Any], status: ReportStatus | None, limit: int
) -> Sequence[SelectGeneratedReport]:
    if status:
        rows = rows.where(reports.c.status == status)
    ordered = rows.order_by(reports.c.created_at.desc(), reports.c.report_id).limit(limit)
    return [SelectGeneratedReport(**row) for row in (await connection.execute(ordered)).mappings()]


async def announce_status(
    connection: AsyncConnection,
    reports: Sequence[SelectGeneratedReport],
    occurred_at: datetime,
    contexts: Mapping[UUID, str | None] | None = None,
) -> None:
    """Announce, in the transaction that changed them, what the reports have become; `contexts` has
    the places in traces that they follow, by report."""
    follows = contexts or {}
    announcements = [
        announcement_of(report, occurred_at, follows.get(report.report_id)) for report in reports
    ]
    await announce(connection, announcements)


def announcement_of(
    report: SelectGeneratedReport, occurred_at: datetime, traceparent: str | None = None
) -> Announcement:
    """A report that is ready, failed or expired, as `consumers.contracts.report_status` has it."""
    return Announcement(
        topic=TOPIC,
        message_key=str(report.provider_id),
        event_type=EVENT_TYPES[report.status],
        occurred_at=occurred_at,
        traceparent=traceparent,
        data={
            "report_id": str(report.report_id),
            "provider_id": str(report.provider_id),
            "report_type": report.report_type,
            "format": report.format,
            "period_start": report.period_start and report.period_start.isoformat(),
            "period_end": report.period_end and report.period_end.isoformat(),
            "scheduled": report.scheduled,
            "status": report.status,
            "file_size_bytes": report.file_size_bytes,
            "download_link_expires_at": report.download_link_expires_at.isoformat(),
            "error_message": report.error_message,
        },
    )
