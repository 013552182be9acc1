"""Asks everyone who knows: the upstream, the service, Kafka and PostgreSQL."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from consumers.progress import Progress
from repositories.database import Database
from repositories.errors import DatabaseUnavailable
from service.demo.clock import Clock
from service.demo.desk import ReportDesk, Reports
from service.demo.figures import MonthFigures, read_months
from service.demo.sample import Counts, Sample
from service.demo.throughput import Throughput
from service.demo.upstream import Upstream
from service.kafka import KafkaAdmin
from service.settings import Settings
from service.simulator import SimulatedProvider

MOST_MONTHS = 6


class Sampler:
    """Takes one sample after another."""

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        upstream: Upstream,
        progress: Mapping[str, Progress],
        admin: KafkaAdmin,
        database: Database,
        physician: SimulatedProvider,
        desk: ReportDesk,
        environment: Path,
    ) -> None:
        self._clock = clock
        self._settings = settings
        self._upstream = upstream
        self._progress = progress
        self._admin = admin
        self._database = database
        self._physician = physician
        self._desk = desk
        self._environment = str(environment)
        self._throughput = Throughput()
        self._months: Sequence[MonthFigures] = ()
        self._reports: Reports = ()

    async def sample(self) -> Sample:
        """Raises KafkaError when the broker is away; keeps its figures while the database is."""
        lag = {name: await self._lag(name) for name in self._progress}
        try:
            provider_id = UUID(self._physician.provider_id)
            self._months = await read_months(self._database, provider_id, MOST_MONTHS)
            self._reports = await self._desk.reports()
        except DatabaseUnavailable:
            pass  # the service goes on when it is back, and so does this
        counts = Counts.of(self._progress.values())
        seconds = self._clock.seconds()
        self._throughput.note(seconds, counts.messages)
        return Sample(
            seconds=seconds,
            phase=self._upstream.phase,
            published=self._upstream.published,
            history=self._upstream.history,
            counts=counts,
            lag=lag,
            per_second=self._throughput.per_second(),
            recent=self._throughput.recent(),
            physician=f"{self._physician.name}, {self._physician.specialty.lower()}",
            months=self._months,
            reports=self._reports,
            environment=self._environment,
        )

    async def _lag(self, name: str) -> int:
        ends = await self._admin.end_offsets([self._settings.topic(name)])
        committed = await self._admin.committed(self._settings.group(name))
        return sum(end - committed.get(partition, 0) for partition, end in ends.items())
