"""Erasing a provider's or a patient's data, and keeping it erased.

Topics and backups still hold it. So an erasure leaves tombstones (`repositories/tombstones.py`),
and whatever takes something in looks for them. The list of tombstones outlives a restore: it is
exported, and imported into the database that came back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories import tables
from repositories.claims.batch import HORIZON_LOCK
from repositories.operations.erased import remove_letters, remove_provider
from repositories.postgres.database import WITHOUT_LIMITS, Database
from repositories.postgres.notifications import Channel, notify
from repositories.reports import tables as report_tables
from repositories.reports.catalogue import CATALOGUE
from repositories.reports.jobs import NO_LEASE
from repositories.tombstones import (
    ERASURE_LOCK,
    ErasureList,
    add_tombstones,
    all_tombstones,
    erased_providers,
    has_tombstone,
    leave_tombstones,
    remove_tombstone,
)
from repositories.vocabulary import ErasedKind, ReportStatus

Condition = Callable[[Table], ColumnElement[bool]]


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


@dataclass(frozen=True)
class Imported:
    """How many tombstones were new, and what had to be erased again because of the list."""

    added: int
    providers: Sequence[ErasedProvider]
    patients: ErasedPatient


async def erase_provider(database: Database, provider_id: UUID, why: str) -> ErasedProvider | None:
    """Remove every row of a provider, and leave a tombstone, in one transaction.

    None if the provider is neither known nor erased already; nothing has changed then.
    """
    async with database.transaction() as connection:
        await connection.execute(WITHOUT_LIMITS)
        known = await _keep_others_away(connection, provider_id)
        if known or await erased_providers(connection, [provider_id]):
            await leave_tombstones(connection, ErasedKind.PROVIDER, [provider_id], why)
            known = True
        gone = await _remove(connection, provider_id)
    return gone if known else None


async def lift_erasure(database: Database, provider_id: UUID) -> bool:
    """Let a provider's events in again, from now on; False if it is not erased."""
    async with database.transaction() as connection:
        return await remove_tombstone(connection, ErasedKind.PROVIDER, provider_id)


async def erase_patient(database: Database, patient_phn: str, why: str) -> ErasedPatient:
    """Take a patient's number out of claims and history, and let reports that show it expire.

    The claims stay, and so do the figures: no figure depends on a patient. No event of these
    claims, known or to come, brings a number back; what is in a *new* claim is not this erasure's.
    """
    return await _empty(database, lambda table: table.c.patient_phn == patient_phn, why)


async def export_erasures(database: Database) -> ErasureList:
    """What `import_erasures` takes, also in another database."""
    async with database.snapshot() as connection:
        return await all_tombstones(connection)


async def import_erasures(database: Database, erased: ErasureList) -> Imported:
    """Add the list's tombstones, then erase again what this database has all the same.

    If it is broken off, what it has added stays in force; repeat it, and it ends what it began.
    """
    async with database.transaction() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock(ERASURE_LOCK)))
        added = await add_tombstones(connection, erased)
    await _until_batches_end(database)  # those that have not seen the tombstones
    providers = tables.providers.c.provider_id
    async with database.snapshot() as connection:
        found = select(providers).where(has_tombstone(ErasedKind.PROVIDER, providers))
        provider_ids = (await connection.scalars(found.order_by(providers))).all()
    again = [await erase_provider(database, provider_id, "") for provider_id in provider_ids]
    return Imported(added, [gone for gone in again if gone], await _empty(database, _emptied, None))


def _emptied(table: Table) -> ColumnElement[bool]:
    has_number = table.c.patient_phn.is_not(None)
    return and_(has_number, has_tombstone(ErasedKind.CLAIM, table.c.claim_id))


async def _keep_others_away(connection: AsyncConnection, provider_id: UUID) -> bool:
    """Wait for whoever is taking in something of the provider, and let nobody begin to.

    Whether the provider was known. If not, its row is made: another's first batch of it, which
    may have made it already and not committed, is waited for, and one to come waits for this.
    """
    await connection.execute(select(func.pg_advisory_xact_lock(ERASURE_LOCK)))
    row = insert(tables.providers).values(provider_id=provider_id).on_conflict_do_nothing()
    made = (await connection.execute(row)).rowcount
    providers = tables.providers.c.provider_id
    await _lock(connection, select(providers).where(providers == provider_id))
    return not made


async def _remove(connection: AsyncConnection, provider_id: UUID) -> ErasedProvider:
    """The outbox after the jobs and reports: a worker that has their locks may announce one."""
    reports, jobs, outbox = (
        report_tables.generated_reports,
        report_tables.report_jobs,
        report_tables.outbox,
    )
    await remove_letters(connection, provider_id)
    its_reports = select(reports.c.report_id).where(reports.c.provider_id == provider_id)
    await _delete(connection, jobs, jobs.c.report_id.in_(its_reports))
    gone = delete(reports).where(reports.c.provider_id == provider_id)
    its_files = gone.returning(reports.c.report_id, reports.c.file_path)
    file_of = {row.report_id: row.file_path for row in await connection.execute(its_files)}
    await _delete(connection, outbox, outbox.c.message_key == str(provider_id))
    counts = {
        table: await _delete(connection, table, table.c.provider_id == provider_id)
        for table in (
            tables.claim_events,
            tables.claims,
            tables.lists_due,
            tables.ai_suggestions,
            tables.analytics_cache,
            tables.providers,
        )
    }
    await remove_provider(connection, provider_id, file_of)
    files = list(file_of.values())
    return ErasedProvider(counts[tables.claims], counts[tables.claim_events], len(files), files)


async def _empty(database: Database, holds: Condition, why: str | None) -> ErasedPatient:
    """Empty the numbers of claims and events that it `holds` for; for `why`, with tombstones."""
    events, reports = tables.claim_events, report_tables.generated_reports
    owners = select(events.c.provider_id).where(holds(events))
    with_numbers = [(of, form) for of, offer in CATALOGUE.items() for form in offer.shows_patients]
    shows = tuple_(reports.c.report_type, reports.c.format).in_(with_numbers)
    await _until_batches_end(database)  # one may bring the number for a provider that had none
    async with database.transaction() as connection:
        await connection.execute(WITHOUT_LIMITS)
        showing = (reports.c.provider_id.in_(await _lock(connection, owners)), shows)
        await _begin_anew(connection, select(reports.c.report_id).where(*showing))
        expired = await connection.execute(
            update(reports)
            .where(*showing, reports.c.status == ReportStatus.READY)
            .values(download_link_expires_at=func.now())
        )
        emptied = await _forget(connection, events, holds)
        claims = await _forget(connection, tables.claims, holds)
        if why is not None:
            await leave_tombstones(connection, ErasedKind.CLAIM, {*emptied, *claims}, why)
    return ErasedPatient(len(claims), len(emptied), expired.rowcount)


async def _until_batches_end(database: Database) -> None:
    """Until every batch that is under way has ended; those to come wait for no longer than that."""
    async with database.transaction() as connection:
        await connection.execute(WITHOUT_LIMITS)
        await connection.execute(select(func.pg_advisory_xact_lock(HORIZON_LOCK)))


async def _lock(connection: AsyncConnection, provider_ids: Select[tuple[UUID]]) -> Sequence[UUID]:
    """As batches do, so that none of them changes these providers' claims meanwhile."""
    providers = tables.providers.c.provider_id
    lock = select(providers).where(providers.in_(provider_ids)).order_by(providers)
    return (await connection.scalars(lock.with_for_update(key_share=True))).all()


async def _begin_anew(connection: AsyncConnection, report_ids: Select[tuple[UUID]]) -> None:
    """Take reports under way from their workers, who may have read the number: what these write
    is refused and removed, and the next attempt reads what is left."""
    jobs = report_tables.report_jobs
    under_way = (jobs.c.report_id.in_(report_ids), jobs.c.due_at.is_not(None))
    values = NO_LEASE | {"due_at": func.now(), "tries": 0}
    changed = await connection.execute(update(jobs).where(*under_way).values(**values))
    if changed.rowcount:
        await notify(connection, Channel.REPORT_JOBS)


async def _forget(connection: AsyncConnection, table: Table, holds: Condition) -> Sequence[UUID]:
    """The claims of the rows that lost their number, one for each row."""
    values = {"patient_phn": None, "phn_erased_at": func.now()}
    emptied = update(table).where(holds(table)).values(**values).returning(table.c.claim_id)
    return (await connection.scalars(emptied)).all()


async def _delete(connection: AsyncConnection, table: Table, where: ColumnElement[Any]) -> int:
    return (await connection.execute(delete(table).where(where))).rowcount
