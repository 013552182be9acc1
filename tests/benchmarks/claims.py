"""The claim figures: backlog, floor, redelivery, plain consumer, several processes."""

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from repositories.claims.verification import verify
from service import wiring
from service.local.stack import Stack
from service.settings import Settings
from tests.benchmarks.plain_consumer import consume
from tests.benchmarks.processes import FLOOR, HERE, Run, drain, program
from tests.benchmarks.workload import Workload, of_claims, preload, topics_named

PLAIN_EVENTS = 3_000
MANY_PARTITIONS = 12
PROCESSES = (1, 2, 4)


@dataclass
class Bench:
    """One stack, and a fresh database and group for each measurement."""

    stack: Stack
    _databases: int = field(default=0)

    def environment(self, name: str, checkout: Path = HERE) -> dict[str, str]:
        """Settings of one measurement: its own database, migrated, and its own groups."""
        self._databases += 1
        database = f"{name}_{self._databases}"
        environment = {
            **self.stack.environment(),
            "CLAIM_ANALYTICS_DATABASE_URL": asyncio.run(self._database(database)),
            "CLAIM_ANALYTICS_GROUP_PREFIX": database,
        }
        subprocess.run(
            [program(checkout), "migrate"],
            cwd=checkout,
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
        )
        return environment

    async def _database(self, name: str) -> str:
        connection = await asyncpg.connect(self.stack.postgres.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.execute("CHECKPOINT")  # the measurements before this one are on disk now
        await connection.close()
        return urlsplit(self.stack.postgres.url)._replace(path=f"/{name}").geturl()


def settings_of(environment: Mapping[str, str]) -> Settings:
    names = {name.removeprefix("CLAIM_ANALYTICS_").lower(): v for name, v in environment.items()}
    return Settings.model_validate(names)


@dataclass(frozen=True)
class Round:
    """One run of each, right after one another: a shared machine changes from minute to minute."""

    backlog: Run
    redelivery: Run
    floor: Run | None = None


def rounds_of(bench: Bench, workload: Workload, rounds: int) -> Sequence[Round]:
    """The backlog, again, and without counting."""
    filled = asyncio.run(preload(settings_of(bench.environment("preload")), workload))
    found = []
    for _ in range(rounds):
        one = _round(bench, workload.events, HERE, {})
        floor = drain(bench.stack, of_claims(filled), bench.environment("floor"), FLOOR)
        found.append(replace(one, floor=floor))
    return found


def rounds_against(
    bench: Bench, workload: Workload, rounds: int, other: Path
) -> Sequence[tuple[Round, Round]]:
    """In alternation: this checkout, the other one, this one …

    On submissions and payments alone, which both know. The other topics are there, and empty.
    """
    topics = topics_named("compared")
    payments = replace(workload, payments_alone=True)
    asyncio.run(preload(settings_of(bench.environment("preload") | topics), payments))
    return [
        (
            _round(bench, payments.events, HERE, topics),
            _round(bench, payments.events, other, topics),
        )
        for _ in range(rounds)
    ]


def _round(bench: Bench, messages: int, checkout: Path, topics: dict[str, str]) -> Round:
    environment = bench.environment("backlog", checkout) | topics
    backlog = drain(bench.stack, messages, environment, checkout=checkout)
    if checkout == HERE:
        asyncio.run(_verified(settings_of(environment)))
    again = environment | {
        "CLAIM_ANALYTICS_GROUP_PREFIX": environment["CLAIM_ANALYTICS_GROUP_PREFIX"] + "_again"
    }
    return Round(backlog, drain(bench.stack, messages, again, checkout=checkout))


async def _verified(settings: Settings) -> None:
    async with wiring.open_database(settings) as database:
        if not (await verify(database)).clean:
            raise AssertionError("the figures are wrong: their speed is of no interest")


def plain_rate(bench: Bench) -> float:
    """The plain consumer's messages a second, after a look whether its figures are right too."""
    settings = settings_of(bench.environment("plain") | topics_named("plain"))
    asyncio.run(preload(settings, Workload(PLAIN_EVENTS + 1, payments_alone=True)))

    async def measured() -> float:
        rate = await consume(settings, PLAIN_EVENTS)
        await _verified(settings)
        return rate

    return asyncio.run(measured())


def scale(bench: Bench, workload: Workload, rounds: int) -> Mapping[int, Sequence[Run]]:
    """By the number of processes: drains of topics of twelve partitions."""
    topics = topics_named("wide") | {"CLAIM_ANALYTICS_TOPIC_PARTITIONS": str(MANY_PARTITIONS)}
    asyncio.run(preload(settings_of(bench.environment("wide") | topics), workload))
    runs: dict[int, list[Run]] = {count: [] for count in PROCESSES}
    for _ in range(rounds):
        for count, of_count in runs.items():
            environment = bench.environment("wide") | topics
            of_count.append(drain(bench.stack, workload.events, environment, processes=count))
    return runs
