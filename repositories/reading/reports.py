"""A provider's reports, as its transaction (`repositories.reading.scope`) may read them: all but
where their files lie."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.reports.tables import generated_reports
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType

reports = generated_reports.c
# By the database's clock: a report is over at its time, whenever a cleanup comes by.
STATUS = sa.case(
    (
        sa.and_(
            reports.status == ReportStatus.READY,
            reports.download_link_expires_at <= sa.func.clock_timestamp(),
        ),
        sa.literal(ReportStatus.EXPIRED, sa.String),
    ),
    else_=sa.cast(reports.status, sa.String),
).label("status")


@dataclass(frozen=True)
class ShownReport:
    """A report as its provider sees it; `status` is that of this moment. Sizes in bytes."""

    report_id: UUID
    report_type: ReportType
    format: ReportFormat
    period_start: date | None
    period_end: date | None
    status: ReportStatus
    file_size_bytes: int
    download_link_expires_at: datetime
    downloaded: bool
    scheduled: bool
    error_message: str | None
    created_at: datetime

    @property
    def place(self) -> tuple[datetime, UUID]:
        """Where it stands in the list."""
        return self.created_at, self.report_id


COLUMNS = [STATUS if each.name == "status" else reports[each.name] for each in fields(ShownReport)]


async def shown_reports(
    connection: AsyncConnection,
    provider_id: UUID,
    *,
    limit: int,
    report_type: ReportType | None = None,
    status: ReportStatus | None = None,
    after: tuple[datetime, UUID] | None = None,
) -> Sequence[ShownReport]:
    """The newest first, at most `limit`, those at `after` and before it left out."""
    rows = sa.select(*COLUMNS).where(reports.provider_id == provider_id)
    if report_type:
        rows = rows.where(reports.report_type == report_type)
    if status:
        rows = rows.where(STATUS.element == status)
    if after:
        created_at, report_id = after
        rows = rows.where(
            reports.created_at <= created_at,
            sa.or_(reports.created_at < created_at, reports.report_id > report_id),
        )
    ordered = rows.order_by(reports.created_at.desc(), reports.report_id).limit(limit)
    return [_shown(row) for row in await connection.execute(ordered)]


async def shown_report(
    connection: AsyncConnection, provider_id: UUID, report_id: UUID
) -> ShownReport | None:
    """None if there is no such report, or it is another provider's."""
    its = (reports.report_id == report_id, reports.provider_id == provider_id)
    row = (await connection.execute(sa.select(*COLUMNS).where(*its))).one_or_none()
    return _shown(row) if row else None


def _shown(row: sa.Row[Any]) -> ShownReport:
    columns = row._asdict()
    return ShownReport(**columns | {"status": ReportStatus(columns["status"])})
