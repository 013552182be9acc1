"""What there is to see at one moment: of the upstream, the service, Kafka and PostgreSQL."""

import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Self
from uuid import UUID

from consumers.engine.subscription import AnySubscription, Progress
from repositories.calendar import day_in_alberta
from repositories.errors import DatabaseUnavailable
from service.local.demo.environment import Clients
from service.local.demo.figures import Dashboard, MonthFigures, read_dashboard
from service.local.demo.open_claims import NOTHING_OPEN, OpenClaims
from service.local.demo.reports import ReportClient, Reports
from service.local.demo.upstream import Phase, Upstream
from service.local.simulator import SimulatedProvider

MOST_MONTHS = 6


@dataclass(frozen=True)
class Counts:
    """What the service has done with the messages it has read, over all topics."""

    messages: int = 0
    applied: int = 0
    duplicate: int = 0
    stale: int = 0
    dead_letters: Mapping[str, int] = field(default_factory=dict)  # by reason

    @classmethod
    def of(cls, *progress: Progress) -> Self:
        """Of all of these together."""
        letters: Counter[str] = Counter()
        for one in progress:
            letters.update({reason.value: count for reason, count in one.dead_letters.items()})
        return cls(
            messages=sum(one.messages for one in progress),
            applied=sum(one.applied for one in progress),
            duplicate=sum(one.duplicate for one in progress),
            stale=sum(one.stale for one in progress),
            dead_letters=letters,
        )

    @property
    def dead_lettered(self) -> int:
        return sum(self.dead_letters.values())


@dataclass(frozen=True)
class Sample:
    """One moment. `lag` is in messages, by topic: what the group has not yet committed.

    `seconds` is the time, from any zero; `counts` are of the events of claims and of the coach;
    `months` and `reports` the physician's, the latter the newest first; `environment` a script for
    other shells, `console` where the service's page is.
    """

    seconds: float
    phase: Phase
    published: int
    history: int
    counts: Counts
    lag: Mapping[str, int]
    per_second: float
    recent: Sequence[float]
    physician: str
    months: Sequence[MonthFigures]
    open_claims: OpenClaims = NOTHING_OPEN
    reports: Reports = ()
    environment: str = ""
    console: str = ""

    @property
    def doing(self) -> str:
        """What goes on, in a few words."""
        if self.phase is Phase.LIVE:
            return f"live, {self.published:,} events published"
        if self.phase is Phase.PUBLISHED:
            return f"all {self.published:,} events published"
        return f"{self.published:,} of {self.history:,} events published"


class Throughput:
    """Rates from a running total that is noted from time to time; times are in seconds."""

    def __init__(self, remembered: int = 30, smoothed: int = 5) -> None:
        self._points: deque[tuple[float, int]] = deque(maxlen=remembered + 1)
        self._smoothed = smoothed

    def note(self, at: float, total: int) -> None:
        self._points.append((at, total))

    def per_second(self) -> float:
        """The mean over the latest few notes."""
        points = list(self._points)[-self._smoothed - 1 :]
        return _rate(points[0], points[-1]) if len(points) > 1 else 0.0

    def recent(self) -> list[float]:
        """The rate between each two notes, the oldest first."""
        return [_rate(one, other) for one, other in pairwise(self._points)]


def _rate(one: tuple[float, int], other: tuple[float, int]) -> float:
    seconds = other[0] - one[0]
    return (other[1] - one[1]) / seconds if seconds > 0 else 0.0


class Sampler:
    """Takes one sample after another, of what the service does with these subscriptions."""

    def __init__(
        self,
        clients: Clients,
        watched: Sequence[tuple[AnySubscription, Progress]],
        upstream: Upstream,
        reports: ReportClient,
        physician: SimulatedProvider,
        environment: str,
        console: str,
    ) -> None:
        self._clients = clients
        self._watched = watched
        self._upstream = upstream
        self._report_client = reports
        self._physician = physician
        self._environment = environment
        self._console = console
        self._throughput = Throughput()
        self._dashboard = Dashboard()
        self._reports: Reports = ()

    async def sample(self) -> Sample:
        """Raises KafkaError when the broker is away; keeps its figures while the database is."""
        lag: Counter[str] = Counter()
        for subscription, _ in self._watched:
            lag += await self._lag(subscription)
        try:
            of = (self._clients.database, UUID(self._physician.provider_id))
            today = day_in_alberta(datetime.now(UTC))
            self._dashboard = await read_dashboard(*of, today, MOST_MONTHS)
            self._reports = await self._report_client.reports()
        except DatabaseUnavailable:
            pass  # the service goes on when it is back, and so does this
        counts = Counts.of(*(progress for _, progress in self._watched))
        seconds = time.monotonic()
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
            months=self._dashboard.months,
            open_claims=self._dashboard.open_claims,
            reports=self._reports,
            environment=self._environment,
            console=self._console,
        )

    async def _lag(self, subscription: AnySubscription) -> Counter[str]:
        """By topic, of those that have some."""
        settings, admin = self._clients.settings, self._clients.admin
        committed = await admin.committed(settings.group(subscription.name))
        ends = await admin.end_offsets(settings.topic(name) for name in subscription.decoders)
        lag: Counter[str] = Counter()
        for (topic, partition), end in ends.items():
            lag[topic] += end - committed.get((topic, partition), 0)
        return lag
