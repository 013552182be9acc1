"""What the database knows of stored files: whose they are, and the keys that open them."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.database import Database
from repositories.report_paths import report_of
from repositories.tables import generated_reports as reports
from repositories.tables import report_jobs as jobs
from repositories.vocabulary import ReportFormat, ReportStatus

KEEPS_A_FILE = (ReportStatus.PENDING, ReportStatus.GENERATING, ReportStatus.READY)


class StoredFile(NamedTuple):
    """A report's file as the download path needs it; the key is there while it is ready."""

    report_id: UUID
    provider_id: UUID
    format: ReportFormat
    status: ReportStatus
    file_path: str
    file_size_bytes: int
    download_link_expires_at: datetime
    wrapped_key: bytes | None
    key_id: str | None


class FileKey(NamedTuple):
    """A file's own key, wrapped by the master key `key_id`; the file's path is what it is for."""

    report_id: UUID
    file_path: str
    wrapped_key: bytes
    key_id: str


async def stored_file(
    connection: AsyncConnection, provider_id: UUID, report_id: UUID
) -> StoredFile | None:
    """None if there is no such report, or it is another provider's."""
    kept = ("wrapped_key", "key_id")
    columns = [reports.c[name] for name in StoredFile._fields if name not in kept]
    found = (
        select(*columns, *(jobs.c[name] for name in kept))
        .join(jobs, jobs.c.report_id == reports.c.report_id)
        .where(reports.c.report_id == report_id, reports.c.provider_id == provider_id)
    )
    row = (await connection.execute(found)).mappings().one_or_none()
    if row is None:
        return None
    words = {"format": ReportFormat(row["format"]), "status": ReportStatus(row["status"])}
    return StoredFile(**{**row, **words})


async def named_paths(database: Database, paths: Sequence[str]) -> set[str]:
    """Those of `paths` that some report still needs; the others are orphans.

    A report needs the file of its newest attempt, unless it failed or expired. Earlier attempts
    have lost their lease, so nobody reads their files or announces them; a worker that is late may
    still be writing one, and the next sweep finds it.
    """
    report_ids = {report_id for report_id in map(report_of, paths) if report_id}
    needed = select(reports.c.file_path).where(
        reports.c.report_id.in_(report_ids), reports.c.status.in_(KEEPS_A_FILE)
    )
    async with database.transaction() as connection:
        return set(paths) & set((await connection.execute(needed)).scalars())


async def keys_not_wrapped_by(database: Database, key_id: str, limit: int) -> Sequence[FileKey]:
    """File keys, of all providers, that another master key than `key_id` wraps: for rotation."""
    others = (
        select(jobs.c.report_id, reports.c.file_path, jobs.c.wrapped_key, jobs.c.key_id)
        .join(reports, reports.c.report_id == jobs.c.report_id)
        .where(jobs.c.key_id != key_id)
        .order_by(jobs.c.report_id)
        .limit(limit)
    )
    async with database.transaction() as connection:
        return [FileKey(*row) for row in await connection.execute(others)]


async def rewrap_key(database: Database, old: FileKey, *, wrapped_key: bytes, key_id: str) -> bool:
    """Put a newly wrapped key in place of `old`; False if that is not there any more."""
    unchanged = (jobs.c.report_id == old.report_id, jobs.c.wrapped_key == old.wrapped_key)
    async with database.transaction() as connection:
        changed = await connection.execute(
            update(jobs).where(*unchanged).values(wrapped_key=wrapped_key, key_id=key_id)
        )
    return changed.rowcount > 0
