"""What the database knows of stored files: their names, whose they are, the keys that open them.

Each attempt at a report has a name of its own, so a late worker can overwrite nothing. A part of
the name is random: a database that was restored counts the same attempts again.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.postgres.database import Database
from repositories.reports.tables import generated_reports as reports
from repositories.reports.tables import report_jobs as jobs
from repositories.vocabulary import ReportFormat, ReportStatus

PREFIX = "reports/"
_RANDOM_BYTES = 6
_KEY = re.compile(  # names that an earlier version made have no random part
    r"reports/[0-9a-f-]{36}/(?P<report>[0-9a-f-]{36})\.[0-9]+(\.[0-9a-f]+)?\.[a-z]+\.enc"
)
KEEPS_A_FILE = (ReportStatus.PENDING, ReportStatus.GENERATING, ReportStatus.READY)


@dataclass(frozen=True)
class StoredFile:
    """A report's file as the download path needs it; the key is there while it is ready.

    `is_over`: the end of its download has passed, by the database's clock.
    """

    report_id: UUID
    provider_id: UUID
    format: ReportFormat
    status: ReportStatus
    file_path: str
    file_size_bytes: int
    download_link_expires_at: datetime
    is_over: bool
    wrapped_key: bytes | None = field(repr=False)
    key_id: str | None


class FileKey(NamedTuple):
    """A file's own key, wrapped by the master key `key_id`; the file's path is what it is for."""

    report_id: UUID
    file_path: str
    wrapped_key: bytes
    key_id: str


def file_path(provider_id: UUID, report_id: UUID, attempt: int, report_format: ReportFormat) -> str:
    """A new key for the `attempt`th file, counted from 1; no two calls give the same."""
    named = f"{report_id}.{attempt}.{secrets.token_hex(_RANDOM_BYTES)}.{report_format.lower()}.enc"
    return f"{PREFIX}{provider_id}/{named}"


def report_of(path: str) -> UUID | None:
    """The report that a stored file belongs to; None if it is named like no report's file."""
    named = _KEY.fullmatch(path)
    try:
        return UUID(named["report"]) if named else None
    except ValueError:
        return None


class KeyInUse(NamedTuple):
    """A master key, how many files' keys it wraps, and one of these with the file's path."""

    key_id: str
    files: int
    file_path: str
    wrapped_key: bytes


async def stored_file(
    connection: AsyncConnection, provider_id: UUID, report_id: UUID
) -> StoredFile | None:
    """None if there is no such report, or it is another provider's."""
    over = reports.c.download_link_expires_at <= func.clock_timestamp()
    known = {**dict(jobs.c.items()), **dict(reports.c.items()), "is_over": over}
    columns = [known[each.name] for each in fields(StoredFile)]
    found = (
        select(*columns)
        .join(jobs, jobs.c.report_id == reports.c.report_id)
        .where(reports.c.report_id == report_id, reports.c.provider_id == provider_id)
    )
    row = (await connection.execute(found)).one_or_none()
    return None if row is None else StoredFile(*row)


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


async def paths_under_lease(database: Database) -> set[str]:
    """The files that workers may be writing: nobody has taken their reports over."""
    written = (
        select(reports.c.file_path)
        .join(jobs, jobs.c.report_id == reports.c.report_id)
        .where(jobs.c.lease_token.is_not(None), jobs.c.due_at.is_not(None))  # by the index
    )
    async with database.transaction() as connection:
        return set((await connection.execute(written)).scalars())


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


async def keys_in_use(database: Database) -> Sequence[KeyInUse]:
    """The master keys that wrap the key of some file, of whichever provider, in order."""
    files = func.count().over(partition_by=jobs.c.key_id)
    used = (
        select(jobs.c.key_id, files, reports.c.file_path, jobs.c.wrapped_key)
        .join(reports, reports.c.report_id == jobs.c.report_id)
        .where(jobs.c.wrapped_key.is_not(None))
        .ext(distinct_on(jobs.c.key_id))
        .order_by(jobs.c.key_id)
    )
    async with database.snapshot() as connection:
        return [KeyInUse(*row) for row in await connection.execute(used)]


async def newest_ready(database: Database, limit: int) -> Sequence[tuple[UUID, str]]:
    """Report and file path of the newest that may be downloaded, of all providers."""
    ready = (
        select(reports.c.report_id, reports.c.file_path)
        .where(
            reports.c.status == ReportStatus.READY,
            reports.c.download_link_expires_at > func.clock_timestamp(),
        )
        .order_by(reports.c.created_at.desc())
        .limit(limit)
    )
    async with database.snapshot() as connection:
        return [(row.report_id, row.file_path) for row in await connection.execute(ready)]


async def rewrap_key(database: Database, old: FileKey, *, wrapped_key: bytes, key_id: str) -> bool:
    """Put a newly wrapped key in place of `old`; False if that is not there any more."""
    unchanged = (jobs.c.report_id == old.report_id, jobs.c.wrapped_key == old.wrapped_key)
    async with database.transaction() as connection:
        changed = await connection.execute(
            update(jobs).where(*unchanged).values(wrapped_key=wrapped_key, key_id=key_id)
        )
    return changed.rowcount > 0
