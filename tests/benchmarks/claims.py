"""The claim figures: backlog, floor, plain consumer, redelivery, latency."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg

from migrations import commands
from repositories.verification import verify
from service import wiring
from service.settings import Settings
from service.stack import Stack
from tests.benchmarks.latency import latencies
from tests.benchmarks.plain_consumer import consume
from tests.benchmarks.processes import FLOOR, SERVICE, Run, drain
from tests.benchmarks.workload import Workload, preload

ROUNDS = 3
PLAIN_EVENTS = 3_000
LATENCY_RATE = 500
LATENCY_SECONDS = 30


@dataclass(frozen=True)
class Round:
    """One run of each, right after one another: a shared machine changes from minute to minute."""

    floor: Run
    backlog: Run
    redelivery: Run

    @property
    def to_floor(self) -> float:
        return self.backlog.rate / self.floor.rate

    @property
    def redelivery_to_backlog(self) -> float:
        return self.redelivery.rate / self.backlog.rate


@dataclass(frozen=True)
class ClaimFigures:
    """What was measured. Rates in messages a second, latencies in seconds."""

    rounds: Sequence[Round]
    plain_rate: float
    latency_p50: float
    latency_p99: float
    latency_max: float


class Bench:
    """One stack, and a fresh database and group for each measurement."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def environment(self, name: str, **more: str) -> dict[str, str]:
        """Settings of one measurement: its own database, migrated, and its own groups."""
        url = asyncio.run(self._database(name))
        commands.upgrade(url)
        return {
            **self._stack.environment(),
            "CLAIM_ANALYTICS_DATABASE_URL": url,
            "CLAIM_ANALYTICS_GROUP_PREFIX": name,
            **more,
        }

    async def _database(self, name: str) -> str:
        connection = await asyncpg.connect(self._stack.postgres.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.execute("CHECKPOINT")  # the measurements before this one are on disk now
        await connection.close()
        return urlsplit(self._stack.postgres.url)._replace(path=f"/{name}").geturl()


def settings_of(environment: dict[str, str]) -> Settings:
    names = {name.removeprefix("CLAIM_ANALYTICS_").lower(): v for name, v in environment.items()}
    return Settings.model_validate(names)


def measure(bench: Bench, workload: Workload) -> ClaimFigures:
    """Run all measurements, one after the other, on one preloaded pair of topics."""
    seconds = _latencies(bench)  # first, while the database is empty but for its own events
    asyncio.run(preload(settings_of(bench.environment("preload")), workload))
    rounds = [_round(bench, number) for number in range(ROUNDS)]
    plain = asyncio.run(_plain(settings_of(bench.environment("plain"))))
    return ClaimFigures(
        rounds, plain,
        latency_p50=seconds[len(seconds) // 2],
        latency_p99=seconds[int(len(seconds) * 0.99)],
        latency_max=seconds[-1],
    )  # fmt: skip


def _round(bench: Bench, number: int) -> Round:
    floor = drain(FLOOR, bench.environment(f"floor{number}"))
    service = bench.environment(f"service{number}")
    backlog = drain(SERVICE, service)
    again = service | {"CLAIM_ANALYTICS_GROUP_PREFIX": f"again{number}"}
    return Round(floor, backlog, drain(SERVICE, again))


async def _plain(settings: Settings) -> float:
    """The plain consumer's rate, after a look whether its figures are right too."""
    rate = await consume(settings, PLAIN_EVENTS)
    database = wiring.database(settings)
    if not (await verify(database)).clean:
        raise AssertionError("the plain consumer's figures are wrong: it cannot be compared with")
    await database.close()
    return rate


def _latencies(bench: Bench) -> list[float]:
    environment = bench.environment(
        "latency",
        CLAIM_ANALYTICS_TOPIC_CLAIM_SUBMITTED="latency-submitted",
        CLAIM_ANALYTICS_TOPIC_CLAIM_PAID="latency-paid",
    )
    settings = settings_of(environment)
    asyncio.run(preload(settings, Workload(events=0)))
    return asyncio.run(latencies(settings, environment, LATENCY_RATE, LATENCY_SECONDS))
