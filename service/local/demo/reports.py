"""The shown physician's reports: requested through Kafka, followed in the database, downloaded."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import NoReturn
from uuid import UUID, uuid4

from rich.text import Text

from consumers.contracts.registry import REPORT_REQUEST
from consumers.engine.retry import RetryPolicy, until_it_succeeds
from repositories.records import SelectGeneratedReport
from repositories.reports.generated_reports import list_reports
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType
from service.kafka import Message
from service.local.demo.environment import Clients
from service.local.demo.upstream import cloud_event
from service.local.simulator import SimulatedProvider
from service.reports.downloads import download, save
from service.reports.wiring import keyring, report_store
from service.settings import Settings

Reports = Sequence[SelectGeneratedReport]

POLL_SECONDS = 0.1
PAUSE_SECONDS = 15.0  # between two reports that are requested live
UNFINISHED = (ReportStatus.PENDING, ReportStatus.GENERATING)
ABBREVIATIONS = ("RRNP", "WCB")
COLOURS = {ReportStatus.READY: "green", ReportStatus.FAILED: "bold red"}
CSV, PDF, ZIP = ReportFormat.CSV, ReportFormat.PDF, ReportFormat.ZIP
# What is requested live, with the months that it goes back; 0: the last seven days.
LATER = (
    (ReportType.WEEKLY_SUMMARY, PDF, 0),
    (ReportType.RRNP_QUARTERLY, PDF, 3),
    (ReportType.ACCOUNTANT_DETAIL, PDF, 3),
    (ReportType.REJECTION_DIGEST, CSV, 1),
    (ReportType.MONTHLY_PERFORMANCE, CSV, 1),
    (ReportType.ACCOUNTANT_SUMMARY, CSV, 12),
)


class KeepFailed(Exception):
    """A report could not be written to the folder; the message says why."""


@dataclass(frozen=True)
class ReportRequest:
    """A report to request; both dates are days of service, and None for all of them."""

    report_type: ReportType
    format: ReportFormat
    period_start: date | None = None
    period_end: date | None = None
    report_id: UUID = field(default_factory=uuid4)

    def message(self, settings: Settings, provider: SimulatedProvider, at: datetime) -> Message:
        data = {
            "report_id": str(self.report_id),
            "provider_id": provider.provider_id,
            "report_type": self.report_type,
            "format": self.format,
            "period_start": self.period_start and self.period_start.isoformat(),
            "period_end": self.period_end and self.period_end.isoformat(),
        }
        return cloud_event(settings, REPORT_REQUEST, provider.key, data, at)


def first_requests(today: date) -> list[ReportRequest]:
    """What an accountant, a physician and one who moves on would want, of whole months."""
    return [
        ReportRequest(ReportType.ACCOUNTANT_SUMMARY, PDF, *months_before(today, 6)),
        ReportRequest(ReportType.ACCOUNTANT_DETAIL, CSV, *months_before(today, 3)),
        ReportRequest(ReportType.MONTHLY_PERFORMANCE, PDF, *months_before(today, 1)),
        ReportRequest(ReportType.WCB_TIMING, PDF, *months_before(today, 12)),
        ReportRequest(ReportType.DATA_PORTABILITY, ZIP),
    ]


def later_requests(today: date) -> Iterator[ReportRequest]:
    """One after the other, without end."""
    week = today - timedelta(days=7), today - timedelta(days=1)
    for report_type, report_format, months in cycle(LATER):
        period = months_before(today, months) if months else week
        yield ReportRequest(report_type, report_format, *period)


def months_before(today: date, months: int) -> tuple[date, date]:
    """First and last day of so many whole months that are over."""
    this = today.replace(day=1)
    count = this.year * 12 + this.month - 1 - months
    return date(count // 12, count % 12 + 1, 1), this - timedelta(days=1)


class ReportClient:
    """Requests one physician's reports and follows them; `requested` counts the requests."""

    def __init__(self, clients: Clients, physician: SimulatedProvider) -> None:
        self._clients = clients
        self._physician = physician
        self.requested = 0

    async def request(self, requests: Iterable[ReportRequest]) -> None:
        """Publish the requests; returns when the broker has acknowledged them."""
        now = datetime.now(UTC)
        for request in requests:
            message = request.message(self._clients.settings, self._physician, now)
            await self._clients.publishing.send(message)
            self.requested += 1
        await self._clients.publishing.flush()

    async def keep_requesting(self, today: date) -> NoReturn:
        """One report now and then, until cancelled."""
        for request in later_requests(today):
            await asyncio.sleep(PAUSE_SECONDS)  # a person's pace
            await self.request([request])
        raise AssertionError("later requests have no end")

    async def reports(self) -> Reports:
        """All that are known to the service, the newest first. Raises a RepositoryError."""
        async with self._clients.database.snapshot() as connection:
            return await list_reports(connection, UUID(self._physician.provider_id))

    async def wait_until_finished(self) -> None:
        """Until all that were requested are ready or have failed."""
        while True:
            reports = await until_it_succeeds(self.reports, "asking for the reports", RetryPolicy())
            finished = [report for report in reports if report.status not in UNFINISHED]
            if len(finished) == len(reports) >= self.requested:
                return
            await asyncio.sleep(POLL_SECONDS)  # a poll, as the platform's page would


class ReportFolder:
    """Downloads each ready report once, decrypted, as its physician would, to a folder."""

    def __init__(self, clients: Clients, folder: Path | None) -> None:
        """Without a folder it keeps nothing. Raises StoreUnavailable."""
        self._database = clients.database
        self._folder = folder
        self._store = report_store(clients.settings)
        self._keyring = keyring(clients.settings)
        self._kept: set[UUID] = set()

    async def keep(self, reports: Reports) -> None:
        """Write those that are ready and not yet kept.

        Raises a RepositoryError, a ReportFileError, or KeepFailed.
        """
        for report in reports:
            new = report.status is ReportStatus.READY and report.report_id not in self._kept
            if self._folder and new:
                await self._write(report, self._folder / file_name(report))
                self._kept.add(report.report_id)

    async def _write(self, report: SelectGeneratedReport, out: Path) -> None:
        whose = (report.provider_id, report.report_id)
        pieces = await download(self._database, self._store, self._keyring, *whose)
        try:
            await save(pieces, out)
        except OSError as error:
            raise KeepFailed(f"{out} cannot be written: {error.strerror}.") from error


def file_name(report: SelectGeneratedReport) -> str:
    """Such as `wcb-timing-1f0d1b7a.pdf`: the id tells two of one type apart."""
    kind = report.report_type.lower().replace("_", "-")
    return f"{kind}-{str(report.report_id)[:8]}.{report.format.lower()}"


def type_name(report_type: ReportType) -> str:
    words = report_type.split("_")
    return " ".join(word if word in ABBREVIATIONS else word.lower() for word in words)


def size_text(size_bytes: int) -> str:
    """Rounded up, so that no file is 0 kB."""
    kilobytes = -(-size_bytes // 1000)
    return f"{kilobytes} kB" if kilobytes < 1000 else f"{-(-kilobytes // 1000):,} MB"


def state_text(report: SelectGeneratedReport) -> Text:
    """The state, with the size once there is a file."""
    ready = report.status is ReportStatus.READY
    size = f" {size_text(report.file_size_bytes)}" if ready else ""
    return Text(f"{report.status}{size}", style=COLOURS.get(report.status, "dim"))


def period_text(report: SelectGeneratedReport) -> str:
    if report.period_start is None or report.period_end is None:
        return "everything"
    return f"{report.period_start} to {report.period_end}"
