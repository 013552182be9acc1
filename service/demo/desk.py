"""The shown physician's reports: asked for through Kafka, followed in the database."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import NoReturn
from uuid import UUID

from consumers.retry import RetryPolicy, until_it_succeeds
from repositories.database import Database
from repositories.generated_reports import list_reports
from repositories.records import SelectGeneratedReport
from repositories.vocabulary import ReportStatus
from service.demo import messages
from service.demo.wishes import Wish, later_wishes
from service.kafka import Publisher
from service.settings import Settings
from service.simulator import SimulatedProvider

Reports = Sequence[SelectGeneratedReport]

POLL_SECONDS = 0.1
PAUSE_SECONDS = 15.0  # between two reports that are asked for live
UNFINISHED = (ReportStatus.PENDING, ReportStatus.GENERATING)


class ReportDesk:
    """`requested` counts the requests, `profiles` the profiles that were published."""

    def __init__(
        self,
        settings: Settings,
        publishing: Publisher,
        database: Database,
        physician: SimulatedProvider,
    ) -> None:
        self._settings = settings
        self._publishing = publishing
        self._database = database
        self._physician = physician
        self.requested = 0
        self.profiles = 0

    async def introduce(self, providers: Iterable[SimulatedProvider]) -> None:
        """Publish a profile of each."""
        now = datetime.now(UTC)
        for provider in providers:
            await self._publishing.send(messages.profile(self._settings, provider, now))
            self.profiles += 1

    async def ask(self, wishes: Iterable[Wish]) -> None:
        """Publish the requests; returns when the broker has acknowledged them."""
        now = datetime.now(UTC)
        for wish in wishes:
            request = messages.request(self._settings, self._physician, wish, now)
            await self._publishing.send(request)
            self.requested += 1
        await self._publishing.flush()

    async def keep_asking(self, today: date) -> NoReturn:
        """For one report now and then, until cancelled."""
        for wish in later_wishes(today):
            await asyncio.sleep(PAUSE_SECONDS)
            await self.ask([wish])
        raise AssertionError("wishes have no end")

    async def reports(self) -> Reports:
        """All that are known to the service, the newest first. Raises a RepositoryError."""
        async with self._database.snapshot() as connection:
            return await list_reports(connection, UUID(self._physician.provider_id))

    async def wait_until_finished(self) -> None:
        """Until all that were asked for are ready or have failed."""
        while True:
            reports = await until_it_succeeds(self.reports, "asking for the reports", RetryPolicy())
            if len(reports) >= self.requested and not unfinished(reports):
                return
            await asyncio.sleep(POLL_SECONDS)


def unfinished(reports: Reports) -> Reports:
    return [report for report in reports if report.status in UNFINISHED]
