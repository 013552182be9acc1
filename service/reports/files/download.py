"""The way of a report to its physician: refused, or streamed and decrypted."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from repositories.vocabulary import ReportStatus
from service.reports.files.errors import FileDamaged, ReportGone, ReportNotFound
from service.reports.files.keys import Keyring, WrappedKey
from service.reports.files.report_files import read_report
from service.reports.files.store import FileStore


class StoredReport(Protocol):
    """What must be known of a report; the two last are None until it is ready."""

    @property
    def report_id(self) -> UUID: ...
    @property
    def provider_id(self) -> UUID: ...
    @property
    def status(self) -> ReportStatus: ...
    @property
    def file_path(self) -> str: ...
    @property
    def download_link_expires_at(self) -> datetime: ...
    @property
    def wrapped_key(self) -> bytes | None: ...
    @property
    def key_id(self) -> str | None: ...


MarkDownloaded = Callable[[UUID, UUID], Awaitable[None]]  # provider_id, report_id


async def open_download(
    report: StoredReport | None,
    provider_id: UUID,
    now: datetime,
    *,
    store: FileStore,
    keyring: Keyring,
    mark_downloaded: MarkDownloaded,
) -> AsyncIterator[bytes]:
    """The report in pieces, for the provider who asks; `report` is None if there is none.

    Raises before the first piece, so that an answer's status can still be chosen: ReportNotFound
    (404), ReportGone (410), or an error of `read_report`. An error after that means that the
    file is damaged or its store away: abort the answer, so that no client takes it for whole.
    `mark_downloaded` is called once the last byte has been taken.
    """
    own = _own(report, provider_id)
    key = _key_if_ready(own, now)
    pieces = read_report(store, keyring, own.file_path, key)
    first = await anext(pieces, b"")
    return _whole(first, pieces, own, mark_downloaded)


async def _whole(
    first: bytes,
    rest: AsyncIterator[bytes],
    report: StoredReport,
    mark_downloaded: MarkDownloaded,
) -> AsyncIterator[bytes]:
    if first:
        yield first
    async for piece in rest:
        yield piece
    await mark_downloaded(report.provider_id, report.report_id)


def _own(report: StoredReport | None, provider_id: UUID) -> StoredReport:
    if report is None or report.provider_id != provider_id:
        raise _not_found()
    return report


def _key_if_ready(report: StoredReport, now: datetime) -> WrappedKey:
    if report.status is ReportStatus.EXPIRED:
        raise _gone(report)
    if report.status is not ReportStatus.READY:
        raise _not_found()
    if now >= report.download_link_expires_at:
        raise _gone(report)
    if report.wrapped_key is None or report.key_id is None:
        raise FileDamaged(f"report {report.report_id} is ready, but its key is not stored")
    return WrappedKey(report.key_id, report.wrapped_key)


def _not_found() -> ReportNotFound:
    # One text for all reasons: it must not tell that another provider's report exists.
    return ReportNotFound("there is no such report for this provider, or it is not ready")


def _gone(report: StoredReport) -> ReportGone:
    return ReportGone(
        f"report {report.report_id} could be downloaded until "
        f"{report.download_link_expires_at:%Y-%m-%d %H:%M} UTC; request it again"
    )
