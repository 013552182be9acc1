"""A report's file on its way to whoever asked: decrypted, piece by piece, at the client's pace.

While it goes no transaction and no connection to PostgreSQL is kept, and of the file no more than
a few MiB. Whatever ends it before the last byte leaves an answer that is shorter than it said, so
that nobody takes it for whole.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from repositories.errors import RepositoryError
from repositories.operations.actions import DOWNLOAD
from repositories.postgres.database import Database
from repositories.reading.reports import ShownReport
from repositories.reports.generated_reports import mark_downloaded
from repositories.reports.stored_files import StoredFile, stored_file
from repositories.vocabulary import ReportFormat, ReportStatus
from service.http.api.problems import Problem, internal, no_such_report, unavailable
from service.http.api.tokens import Caller
from service.operations.recorded import BrokenOff, noted
from service.reports.downloads import open_download
from service.reports.files.file_errors import (
    FileDamaged,
    ReportFileError,
    ReportGone,
    ReportNotFound,
)
from service.reports.files.keys import Keyring
from service.reports.files.store import FileStore

log = logging.getLogger(__name__)

MOST_AT_ONCE = 16  # each keeps up to 12 MB
MOST_OF_ONE_PROVIDER = 4  # so that one cannot keep the others out
CONTENT_TYPES: Final = {
    ReportFormat.PDF: "application/pdf",
    ReportFormat.CSV: "text/csv; charset=utf-8",
    ReportFormat.ZIP: "application/zip",
}


@dataclass(frozen=True)
class Files:
    """Where the files are, and what opens them."""

    store: FileStore
    keyring: Keyring


class Downloads:
    """Those of one process. Without `files` (no master keys are set) there are none."""

    def __init__(self, database: Database, files: Files | None) -> None:
        self._database = database
        self._files = files
        self._under_way: Counter[UUID] = Counter()

    async def of(self, report: ShownReport, caller: Caller, *, without_body: bool) -> Response:
        """`report` is ready or expired, and was seen in the caller's scope. Raises Problem."""
        if report.status is ReportStatus.EXPIRED:
            raise gone()
        if without_body:
            return Response(headers=headers(report, report.file_size_bytes))
        if self._files is None:
            log.error("a report cannot be downloaded: there are no files, or no keys, here")
            raise unavailable(60)
        return _Download(self, self._database, self._files, report, caller)

    @contextmanager
    def place(self, provider_id: UUID) -> Iterator[None]:
        """Raises Problem where all are taken."""
        if self._under_way[provider_id] >= MOST_OF_ONE_PROVIDER:
            raise Problem(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too-many-downloads",
                f"{MOST_OF_ONE_PROVIDER} downloads of this provider are under way.",
                {"Retry-After": "5"},
            )
        if self._under_way.total() >= MOST_AT_ONCE:
            raise unavailable()
        self._under_way[provider_id] += 1
        try:
            yield
        finally:
            self._under_way[provider_id] -= 1
            self._under_way += Counter()  # forgets the zeros


class _Download(Response):
    """Everything happens when it is sent, so that whatever ends it finds it in these blocks."""

    def __init__(
        self,
        downloads: Downloads,
        database: Database,
        files: Files,
        report: ShownReport,
        caller: Caller,
    ) -> None:
        super().__init__()
        self._downloads = downloads
        self._database = database
        self._files = files
        self._report = report
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises Problem or a RepositoryError before the first byte; later an error ends the answer
        in its middle."""
        provider_id, report_id = self._caller.provider_id, self._report.report_id
        named = {"report_id": str(report_id), "provider_id": str(provider_id)}
        with self._downloads.place(provider_id):
            # The owner's part: path and key are not among the columns of the reader's role, in
            # whose scope the report was found.
            async with self._database.snapshot() as connection:
                file = await stored_file(connection, provider_id, report_id)
            client = _Client(receive, send, file.file_size_bytes if file else 0)
            pieces = await self._opened(file, client)
            try:
                async with (
                    aclosing(pieces),
                    client.watched(),
                    noted(self._database, self._caller.subject, DOWNLOAD, named) as action,
                ):
                    await client.start(headers(self._report, client.size))
                    async for piece in pieces:
                        await client.send(piece)
                        action.counts["bytes"] = client.sent
                    await client.end()
            except BrokenOff:
                log.info("a download was broken off", extra={"report_id": str(report_id)})
            except (ReportFileError, RepositoryError) as fault:
                if not client.started:
                    raise
                log.error("a download ended in its middle: %s", fault)

    async def _opened(self, file: StoredFile | None, client: "_Client") -> AsyncGenerator[bytes]:
        async def mark(provider_id: UUID, report_id: UUID) -> None:
            await client.settle()
            await mark_downloaded(self._database, provider_id, report_id)

        store, keyring = self._files.store, self._files.keyring
        try:
            return await open_download(
                file,
                self._caller.provider_id,
                store=store,
                keyring=keyring,
                mark_downloaded=mark,
            )
        except ReportNotFound:
            raise no_such_report() from None
        except ReportGone:
            raise gone() from None
        except ReportFileError as fault:
            log.error("a report cannot be downloaded: %s", fault)
            raise (unavailable() if fault.retriable else internal()) from None


class _Client:
    """Who takes the pieces; `size` is how many bytes there will be, `sent` how many there were."""

    def __init__(self, receive: Receive, send: Send, size: int) -> None:
        self._receive = receive
        self._send = send
        self._is_gone = False
        self.size = size
        self.sent = 0
        self.started = False

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """The server tells nobody who sends that the client has gone: it has to be asked."""
        watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True

    async def start(self, headers: Mapping[str, str]) -> None:
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self.started = True
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def send(self, piece: bytes) -> None:
        """Waits until the client has taken most of the piece before. Raises BrokenOff if it has
        gone, FileDamaged for more than there should be."""
        if self.sent + len(piece) > self.size:
            raise FileDamaged("the file of a report is longer than its row says")
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(0)  # lets the watch see what has happened
        if self._is_gone:
            raise BrokenOff
        self.sent += len(piece)

    async def settle(self) -> None:
        """Waits until the client has taken most of the last piece. Raises as `send`."""
        await self.send(b"")
        if self.sent != self.size:
            raise FileDamaged("the file of a report is shorter than its row says")

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def gone() -> Problem:
    return Problem(
        HTTPStatus.GONE, "report-gone", "The report's time is over. Request another one."
    )


def headers(report: ShownReport, size: int) -> Mapping[str, str]:
    """The name is made of words of ours alone, so it needs no quoting (RFC 6266)."""
    period = (report.period_start, report.period_end) if report.period_start else ("everything",)
    kind = report.report_type.lower().replace("_", "-")
    name = "_".join([kind, *map(str, period)])
    return {
        "Content-Type": CONTENT_TYPES[report.format],
        "Content-Length": str(size),
        "Content-Disposition": f'attachment; filename="{name}.{report.format.lower()}"',
        "Accept-Ranges": "none",
    }
