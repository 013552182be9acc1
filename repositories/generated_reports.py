"""The rows of `generated_reports`: single providers' own, and all for the operators."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.database import Database
from repositories.records import SelectGeneratedReport
from repositories.tables import generated_reports as reports
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType


def as_record(row: Mapping[Any, Any]) -> SelectGeneratedReport:
    words = {
        "report_type": ReportType(row["report_type"]),
        "format": ReportFormat(row["format"]),
        "status": ReportStatus(row["status"]),
    }
    return SelectGeneratedReport(**{**row, **words})


async def report_by_id(
    connection: AsyncConnection, provider_id: UUID, report_id: UUID
) -> SelectGeneratedReport | None:
    """None if there is no such report, or it is another provider's."""
    its = (reports.c.report_id == report_id, reports.c.provider_id == provider_id)
    row = (await connection.execute(select(reports).where(*its))).mappings().one_or_none()
    return as_record(row) if row else None


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
    return as_record(changed.mappings().one())


async def _newest(
    connection: AsyncConnection, rows: Select[Any], status: ReportStatus | None, limit: int
) -> Sequence[SelectGeneratedReport]:
    if status:
        rows = rows.where(reports.c.status == status)
    ordered = rows.order_by(reports.c.created_at.desc(), reports.c.report_id).limit(limit)
    return [as_record(row) for row in (await connection.execute(ordered)).mappings()]
