"""Figures read over HTTP by a hundred readers, while events arrive.

They think for a second in the mean: a hundred of them ask some hundred times a second, as a hundred
open dashboards that are being worked with would. Once they ask the process that also consumes, once
one that serves HTTP alone, as docs/scaling.md recommends; at last, without events, as fast as they
are answered. The events go on with the claims of the same providers, whose figures are read.
"""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
import psutil
from rich.console import Console

from service.local.simulator import OutgoingEvent
from service.local.stack import Stack
from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.http.readers import READERS, WARM_UP_SECONDS, Read, read
from tests.benchmarks.latency import Latency, latency_of, publish, service, watch
from tests.benchmarks.processes import HERE, drain, postgres_cpu, program
from tests.benchmarks.workload import Workload, fill_topics, topics_named
from tests.harness.http import free_address
from tests.harness.issuer import AUDIENCE, ISSUER, Issuer

THINK_SECONDS = 1.0
PROVIDERS = 10_000
EVENTS = 200_000  # there before
ASKED = 1_000  # of the providers, drawn at random
RATES = (1_000, 300)  # events a second: what is asked for, and what leaves two cores some room
SECONDS = 25
MOST_MS, MOST_SLOWED = 50, 0.1
ALONE, WITHIN, APART = "nobody reads", "the process that consumes", "a process of its own"
ADDRESS = "CLAIM_ANALYTICS_HTTP_ADDRESS"


@dataclass(frozen=True)
class Phase:
    """How long events took to be seen, and what readers saw meanwhile, if there were any. `cpu`
    are cores: of the process that consumes, of one that serves HTTP alone, and of PostgreSQL."""

    events: Latency
    read: Read | None
    cpu: Sequence[float]


@dataclass(frozen=True)
class Reading:
    """By the rate of events, rounds by who answers; and the readers without events or thinking,
    with the CPU of the process that answers, in seconds."""

    rounds: Mapping[int, Sequence[Mapping[str, Phase]]]
    fastest: Read
    fastest_cpu: float


def api_environment(folder: Path, issuer: Issuer) -> dict[str, str]:
    """Settings of the API, on a free port."""
    return {
        ADDRESS: free_address(),
        "CLAIM_ANALYTICS_API_ISSUER": ISSUER,
        "CLAIM_ANALYTICS_API_AUDIENCE": AUDIENCE,
        "CLAIM_ANALYTICS_API_JWKS": str(issuer.publish(folder / "jwks.json")),
    }


def measure_reading(bench: Bench, rounds: int) -> Reading:
    issuer = Issuer()
    with tempfile.TemporaryDirectory() as folder:
        environment = bench.environment("reading") | topics_named("reading")
        environment |= api_environment(Path(folder), issuer)
        settings = settings_of(environment)
        simulator = Workload(providers=PROVIDERS).simulator()
        asyncio.run(fill_topics(settings, simulator.history(EVENTS)))
        drain(bench.stack, EVENTS, environment)
        tokens = Path(folder) / "tokens.json"
        asyncio.run(_vacuum(settings))
        providers = asyncio.run(_some_providers(settings))
        tokens.write_text(json.dumps([issuer.token(p, exp=4_000_000_000) for p in providers]))
        measured = {
            rate: [
                asyncio.run(_round(bench.stack, settings, environment, rate, live, tokens))
                for live in [simulator.live(rate)] * rounds
            ]
            for rate in RATES
        }
        fastest, cpu = asyncio.run(_fastest(settings, environment, tokens))
        return Reading(measured, fastest, cpu)


async def _vacuum(settings: Settings) -> None:
    """What autovacuum does once after so many rows have come at once, and would do in the middle
    of what is measured."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    await connection.execute("VACUUM (ANALYZE)")
    await connection.close()


async def _some_providers(settings: Settings) -> Sequence[UUID]:
    """Those who have the figure that is asked for."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    rows = await connection.fetch(
        "SELECT DISTINCT provider_id FROM analytics_cache"
        f" WHERE metric_key = 'revenue_monthly' LIMIT {ASKED}"
    )
    await connection.close()
    return [row["provider_id"] for row in rows]


async def _round(
    stack: Stack,
    settings: Settings,
    environment: Mapping[str, str],
    rate: int,
    live: Iterator[OutgoingEvent],
    tokens: Path,
) -> Mapping[str, Phase]:
    apart = {**environment, ADDRESS: free_address()}
    found = {}
    async with _serving(environment, "claims") as consuming, _serving(apart, "http") as serving:
        for who, address in (
            (ALONE, None),
            (WITHIN, environment[ADDRESS]),
            (APART, apart[ADDRESS]),
        ):
            before = _used(stack, consuming, serving)
            began = time.monotonic()
            events, seen = await _phase(settings, rate, live, address, tokens)
            seconds = time.monotonic() - began
            after = _used(stack, consuming, serving)
            cores = [(now - then) / seconds for then, now in zip(before, after, strict=True)]
            found[who] = Phase(events, seen, cores)
    return found


def _used(stack: Stack, *processes: asyncio.subprocess.Process) -> list[float]:
    """Seconds of CPU up to now: of each process, and of PostgreSQL."""
    times = [psutil.Process(process.pid).cpu_times() for process in processes]
    return [*(each.user + each.system for each in times), postgres_cpu(stack)]


async def _phase(
    settings: Settings,
    rate: int,
    live: Iterator[OutgoingEvent],
    address: str | None,
    tokens: Path,
) -> tuple[Latency, Read | None]:
    sent: dict[Any, float] = {}
    seen: dict[Any, float] = {}
    events = [*islice(live, rate * SECONDS)]
    async with asyncio.TaskGroup() as group:
        publishing = group.create_task(publish(settings, rate, events, sent))
        reading = address and group.create_task(
            read(settings, address, tokens, SECONDS, THINK_SECONDS)
        )
        await watch(settings, publishing, sent, seen)
    return latency_of(sent, seen), reading.result() if reading else None


async def _fastest(
    settings: Settings, environment: Mapping[str, str], tokens: Path
) -> tuple[Read, float]:
    async with _serving(environment, "http") as process:
        served = psutil.Process(process.pid)
        await read(settings, environment[ADDRESS], tokens, WARM_UP_SECONDS + 1, 0)
        before = served.cpu_times()
        found = await read(settings, environment[ADDRESS], tokens, SECONDS, 0)
        after = served.cpu_times()
    return found, after.user + after.system - before.user - before.system


@asynccontextmanager
async def _serving(
    environment: Mapping[str, str], part: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    async with service(environment, [program(HERE), "run", "--only", part]) as process:
        await answers(environment)
        yield process


async def answers(environment: Mapping[str, str]) -> None:
    host, _, port = environment[ADDRESS].partition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.1)  # a poll: the process is starting
        else:
            writer.close()
            return


def show_reading(found: Reading, console: Console) -> None:
    for rate, rounds in found.rounds.items():
        console.print(
            f"Figures of {PROVIDERS:,} providers, {READERS} readers beside {rate:,} events/s; in"
            " ms; cores of the process that consumes, of one for HTTP, of PostgreSQL"
        )
        _show_rounds(rounds, console)
    each_cpu = found.fastest_cpu / found.fastest.requests * 1000
    console.print(
        f"as fast as they are answered, no events: {_told(found.fastest)};"
        f" {each_cpu:.2f} ms of the process's CPU each"
    )


def _show_rounds(rounds: Sequence[Mapping[str, Phase]], console: Console) -> None:
    for each in rounds:
        for who, phase in each.items():
            p50, p99, _ = _milliseconds(phase.events)
            cores = ", ".join(f"{share:.2f}" for share in phase.cpu)
            console.print(f"{who}: events seen p50 {p50}, p99 {p99}; cores {cores}")
            if phase.read:
                console.print(f"   {_told(phase.read)}")
    for who in (WITHIN, APART):
        reads = [each[who].read for each in rounds]
        slowest = median(one.answered.p99 for one in reads if one)
        slowed = median(each[who].events.p50 / each[ALONE].events.p50 for each in rounds)
        console.print(
            f"{who}: p99 {slowest * 1000:.0f} ms (must be under {MOST_MS}); events are seen"
            f" {slowed - 1:+.0%} later (must be under {MOST_SLOWED:+.0%})"
        )


def _told(read: Read) -> str:
    p50, p99, most = _milliseconds(read.answered)
    floor = _milliseconds(read.floor)
    return (
        f"{read.requests / SECONDS:.0f} requests/s ({read.refused} refused), p50 {p50}, p99 {p99},"
        f" at most {most}; a bare SELECT p50 {floor[0]}, p99 {floor[1]}"
    )


def _milliseconds(each: Latency) -> list[str]:
    return [f"{seconds * 1000:.1f}" for seconds in (each.p50, each.p99, each.most)]
