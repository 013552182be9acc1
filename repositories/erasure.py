"""Erasing a provider's or a patient's data.

What Kafka's topics still hold comes back if they are read again: docs/operations.md says what to
do about that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, delete, func, literal, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories import tables
from repositories.database import Database
from repositories.report_jobs import NO_LEASE
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType

# The reports that show patients' numbers.
SHOWS_PATIENTS = (
    (ReportType.ACCOUNTANT_DETAIL, ReportFormat.CSV),
    (ReportType.DATA_PORTABILITY, ReportFormat.ZIP),
)


@dataclass(frozen=True)
class ErasedProvider:
    """How many rows are gone; `files` are the keys of report files, which are to be deleted next.

    Their own keys are gone with the rows, so even a file that stays can be opened by nobody.
    """

    claims: int
    events: int
    reports: int
    files: Sequence[str]


@dataclass(frozen=True)
class ErasedPatient:
    """How many claims and events lost the number, and how many reports that may show it expire."""

    claims: int
    events: int
    reports: int


async def erase_provider(database: Database, provider_id: UUID) -> ErasedProvider:
    """Remove every row of a provider, in one transaction; batches of the provider wait for it."""
    reports, jobs, outbox = tables.generated_reports, tables.report_jobs, tables.outbox
    its_reports = select(reports.c.report_id).where(reports.c.provider_id == provider_id)
    async with database.transaction() as connection:
        await _lock(connection, select(literal(provider_id)))
        paths = select(reports.c.file_path).where(reports.c.provider_id == provider_id)
        files = (await connection.scalars(paths)).all()
        await _delete(connection, outbox, outbox.c.message_key == str(provider_id))
        await _delete(connection, jobs, jobs.c.report_id.in_(its_reports))
        gone = {
            table: await _delete(connection, table, table.c.provider_id == provider_id)
            for table in (
                reports,
                tables.claim_events,
                tables.claims,
                tables.top_codes_due,
                tables.analytics_cache,
                tables.providers,
            )
        }
    return ErasedProvider(gone[tables.claims], gone[tables.claim_events], gone[reports], files)


async def erase_patient(database: Database, patient_phn: str) -> ErasedPatient:
    """Take a patient's number out of claims and history, and let reports that show it expire.

    The claims stay, and so do the figures: no figure depends on a patient. An event that is read
    again with the number in it is a duplicate still.
    """
    claims, events, reports = tables.claims, tables.claim_events, tables.generated_reports
    owners = select(events.c.provider_id).where(events.c.patient_phn == patient_phn)
    shows = tuple_(reports.c.report_type, reports.c.format).in_(SHOWS_PATIENTS)
    showing = (reports.c.provider_id.in_(owners), shows)
    async with database.transaction() as connection:
        await _lock(connection, owners)
        await _begin_anew(connection, select(reports.c.report_id).where(*showing))
        expired = await connection.execute(
            update(reports)
            .where(*showing, reports.c.status == ReportStatus.READY)
            .values(download_link_expires_at=func.now())
        )
        return ErasedPatient(
            claims=await _forget(connection, claims, patient_phn),
            events=await _forget(connection, events, patient_phn),
            reports=expired.rowcount,
        )


async def _lock(connection: AsyncConnection, provider_ids: Select[tuple[UUID]]) -> None:
    """As batches do, so that none of them changes these claims meanwhile."""
    providers = tables.providers
    await connection.execute(
        select(providers.c.provider_id)
        .where(providers.c.provider_id.in_(provider_ids))
        .order_by(providers.c.provider_id)
        .with_for_update(key_share=True)
    )


async def _begin_anew(connection: AsyncConnection, report_ids: Select[tuple[UUID]]) -> None:
    """Take reports under way from their workers, who may have read the number: what these write
    is refused and removed, and the next attempt reads what is left."""
    jobs = tables.report_jobs
    under_way = (jobs.c.report_id.in_(report_ids), jobs.c.due_at.is_not(None))
    values = NO_LEASE | {"due_at": func.now(), "tries": 0}
    await connection.execute(update(jobs).where(*under_way).values(**values))


async def _forget(connection: AsyncConnection, table: Table, patient_phn: str) -> int:
    holds = table.c.patient_phn == patient_phn
    changed = await connection.execute(update(table).where(holds).values(patient_phn=None))
    return changed.rowcount


async def _delete(connection: AsyncConnection, table: Table, where: ColumnElement[Any]) -> int:
    return (await connection.execute(delete(table).where(where))).rowcount
