"""The way of a report to its physician: refused, or streamed and decrypted, piece by piece."""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from repositories.postgres.database import Database
from repositories.reports.generated_reports import mark_downloaded
from repositories.reports.outcomes import Retry, retry_report
from repositories.reports.stored_files import StoredFile, stored_file
from repositories.vocabulary import ReportStatus
from service.reports.files.file_errors import FileDamaged, FileMissing, ReportGone, ReportNotFound
from service.reports.files.keys import Keyring, WrappedKey
from service.reports.files.report_files import read_report
from service.reports.files.store import FileStore
from service.reports.ownership import StoreOwner

HAD_A_FILE = (ReportStatus.READY, ReportStatus.EXPIRED)
MarkDownloaded = Callable[[UUID, UUID], Awaitable[None]]  # provider_id, report_id


async def download(
    database: Database,
    store: FileStore,
    keyring: Keyring,
    provider_id: UUID,
    report_id: UUID,
) -> AsyncIterator[bytes]:
    """The report's bytes, decrypted; `downloaded` is noted when the last has been taken.

    Raises as `open_download` does. No transaction is open while the pieces are taken.
    """

    async def mark(provider: UUID, report: UUID) -> None:
        await mark_downloaded(database, provider, report)

    async with database.transaction() as connection:
        report = await stored_file(connection, provider_id, report_id)
    return await open_download(
        report, provider_id, store=store, keyring=keyring, mark_downloaded=mark
    )


async def open_download(
    report: StoredFile | None,
    provider_id: UUID,
    *,
    store: FileStore,
    keyring: Keyring,
    mark_downloaded: MarkDownloaded,
) -> AsyncGenerator[bytes]:
    """The report in pieces, for the provider who asks; `report` is None if there is none.

    Raises before the first piece, so that an answer's status can still be chosen: ReportNotFound
    (404), ReportGone (410), or an error of `read_report`. An error after that means that the
    file is damaged or its store away: abort the answer, so that no client takes it for whole.
    `mark_downloaded` is called once the last byte has been taken.
    """
    if report is None or report.provider_id != provider_id or report.status not in HAD_A_FILE:
        # One text for all reasons: it must not tell that another provider's report exists.
        raise ReportNotFound("there is no such report for this provider, or it is not ready")
    pieces = read_report(store, keyring, report.file_path, _key(report))
    try:
        first = await anext(pieces, b"")
    except FileMissing:
        raise FileMissing(
            f"the file of report {report.report_id} is not in the report store. If"
            " CLAIM_ANALYTICS_REPORT_STORAGE_URL is right, have it made again: claim-analytics"
            f" report retry {report.report_id}"
        ) from None

    async def whole() -> AsyncGenerator[bytes]:
        if first:
            yield first
        async for piece in pieces:
            yield piece
        await mark_downloaded(report.provider_id, report.report_id)

    return whole()


def _key(report: StoredFile) -> WrappedKey:
    if report.status is ReportStatus.EXPIRED or report.is_over:
        raise ReportGone(
            f"report {report.report_id} could be downloaded until "
            f"{report.download_link_expires_at:%Y-%m-%d %H:%M} UTC; request it again"
        )
    if report.wrapped_key is None or report.key_id is None:
        raise FileDamaged(f"report {report.report_id} is ready, but its key is not stored")
    return WrappedKey(report.key_id, report.wrapped_key)


async def retry_if_lost(
    database: Database, store: FileStore, provider_id: UUID, report_id: UUID
) -> Retry:
    """Let a ready report be made again if its file is not in the store, before its time is over.

    Raises StoreNotOurs: in another's store no file is to be found.
    """
    async with database.transaction() as connection:
        report = await stored_file(connection, provider_id, report_id)
    if report is None:
        return Retry.NOT_FOUND
    if report.status is not ReportStatus.READY or report.is_over:
        return Retry.NOT_FAILED
    await StoreOwner(database, store).confirm()
    if await store.exists(report.file_path):
        return Retry.NOT_FAILED
    return await retry_report(database, provider_id, report_id, lost=report.file_path)


async def save(pieces: AsyncIterator[bytes], out: Path) -> int:
    """Writes `out`, readable by this user alone, and gives its size in bytes.

    An error of `pieces` leaves no file, or the one that was there before as it was.
    """
    size = 0
    with _appearing(out) as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
            size += len(piece)
    return size


@contextmanager
def _appearing(out: Path) -> Iterator[BinaryIO]:
    """A file beside `out` that takes its name at the end, and goes on an error."""
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(name).replace(out)
    except BaseException:  # a cancellation too leaves no half file; raised on
        Path(name).unlink(missing_ok=True)
        raise
