"""Figures read over HTTP by a hundred readers, while events arrive.

A reader asks for a year of one figure of some provider, reads the answer, and thinks for a second
in the mean: a hundred of them ask some hundred times a second, as a hundred open dashboards that
are being worked with would. The floor is a bare SELECT, answered in the same seconds.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import asyncpg
from rich.console import Console

from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.latency import Latency, latency_of, publish, service, watch
from tests.benchmarks.processes import HERE, drain, program
from tests.benchmarks.workload import Workload, preload, topics_named
from tests.harness.http import free_address
from tests.harness.issuer import AUDIENCE, ISSUER, Issuer

READERS = 100
THINK_SECONDS = 1.0
PROVIDERS = 10_000
ASKED = 1_000  # of them, drawn at random
RATE = 1_000
SECONDS = 25
MOST_MS = 50
QUERY = "/v1/analytics/metrics?key=revenue_monthly&from=2026-01-01&to=2026-12-31"


@dataclass(frozen=True)
class Read:
    """In seconds."""

    requests: int
    answered: Latency
    floor: Latency


@dataclass(frozen=True)
class Reading:
    """How long events took to be seen without readers and beside them, and how long these did."""

    alone: Latency
    beside: Latency
    read: Read


def api_environment(folder: Path, issuer: Issuer) -> dict[str, str]:
    """Settings of the API, on a free port."""
    return {
        "CLAIM_ANALYTICS_HTTP_ADDRESS": free_address(),
        "CLAIM_ANALYTICS_API_ISSUER": ISSUER,
        "CLAIM_ANALYTICS_API_AUDIENCE": AUDIENCE,
        "CLAIM_ANALYTICS_API_JWKS": str(issuer.publish(folder / "jwks.json")),
    }


def measure_reading(bench: Bench, rounds: int) -> Sequence[Reading]:
    issuer = Issuer()
    with tempfile.TemporaryDirectory() as folder:
        environment = bench.environment("reading") | topics_named("reading")
        environment |= api_environment(Path(folder), issuer)
        settings = settings_of(environment)
        asyncio.run(preload(settings, Workload(events=200_000, providers=PROVIDERS)))
        drain(bench.stack, 200_000, environment)
        tokens = Path(folder) / "tokens.json"
        providers = asyncio.run(_some_providers(settings))
        tokens.write_text(json.dumps([issuer.token(p, exp=4_000_000_000) for p in providers]))
        found = []
        for number in range(rounds):
            alone, _ = asyncio.run(_phase(settings, environment, 2 * number, None))
            beside, read = asyncio.run(_phase(settings, environment, 2 * number + 1, tokens))
            assert read is not None
            found.append(Reading(alone, beside, read))
        return found


async def _some_providers(settings: Settings) -> Sequence[UUID]:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    rows = await connection.fetch(f"SELECT provider_id FROM providers LIMIT {ASKED}")
    await connection.close()
    return [row["provider_id"] for row in rows]


async def _phase(
    settings: Settings, environment: Mapping[str, str], number: int, tokens: Path | None
) -> tuple[Latency, Read | None]:
    workload = Workload(seed=100 + number, events=RATE * SECONDS, providers=PROVIDERS)
    sent: dict[Any, float] = {}
    seen: dict[Any, float] = {}
    events = [*workload.history()]
    async with service(environment, [program(HERE), "run", "--only", "claims"]):
        await answers(environment)
        publishing = asyncio.create_task(publish(settings, RATE, events, sent))
        readers = _start_readers(settings, environment, tokens) if tokens else None
        await watch(settings, publishing, sent, seen)
        said = (await asyncio.to_thread(readers.communicate))[0] if readers else None
    read = json.loads(said) if said else None
    return latency_of(sent, seen), read and Read(
        read["requests"], Latency(*read["answered"]), Latency(*read["floor"])
    )


def _start_readers(
    settings: Settings, environment: Mapping[str, str], tokens: Path
) -> "subprocess.Popen[bytes]":
    """In a process of their own: what they compute is not to hold up the watch."""
    database = settings.database_url.get_secret_value()
    address = environment["CLAIM_ANALYTICS_HTTP_ADDRESS"]
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.http.reading",
        address,
        str(tokens),
        database,
    ]
    return subprocess.Popen(command, cwd=HERE, env=os.environ, stdout=subprocess.PIPE)


async def answers(environment: Mapping[str, str]) -> None:
    host, _, port = environment["CLAIM_ANALYTICS_HTTP_ADDRESS"].partition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.1)  # a poll: the process is starting
        else:
            writer.close()
            return


def main() -> None:
    """The readers' own process: prints what they saw, as JSON."""
    address, tokens, database = sys.argv[1:]
    said = asyncio.run(_read(address, Path(tokens).read_text(), database))
    print(json.dumps(said))  # noqa: T201


async def _read(address: str, tokens: str, database: str) -> dict[str, Any]:
    until = time.monotonic() + SECONDS
    drawn = json.loads(tokens)
    answered: list[float] = []
    floor: list[float] = []
    async with asyncio.TaskGroup() as group:
        group.create_task(_floor(database, until, floor))
        for number in range(READERS):
            group.create_task(_reader(address, drawn, random.Random(number), until, answered))
    return {
        "requests": len(answered),
        "answered": _percentiles(answered),
        "floor": _percentiles(floor),
    }


async def _reader(
    address: str, tokens: Sequence[str], drawn: random.Random, until: float, answered: list[float]
) -> None:
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    while time.monotonic() < until:
        # The server hangs up on who says nothing for five seconds.
        # A reader's time to think.
        await asyncio.sleep(min(drawn.expovariate(1 / THINK_SECONDS), 4))
        token = drawn.choice(tokens)
        began = time.monotonic()
        head = f"GET {QUERY} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
        writer.write(head.encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.split(b"content-length:")[1].split(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        answered.append(time.monotonic() - began)
        if "rows" not in body:
            raise RuntimeError(f"no figures: {body}")
    writer.close()


async def _floor(database: str, until: float, seconds: list[float]) -> None:
    connection = await asyncpg.connect(database)
    while time.monotonic() < until:
        began = time.monotonic()
        await connection.fetchval("SELECT 1")
        seconds.append(time.monotonic() - began)
        await asyncio.sleep(0.02)  # fifty times a second, so that it does not make the load
    await connection.close()


def _percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)], ordered[-1]


def show_reading(found: Sequence[Reading], console: Console) -> None:
    for each in found:
        read, floor = each.read.answered, each.read.floor
        console.print(
            f"figures over HTTP, {READERS} readers, {each.read.requests / SECONDS:.0f} requests/s,"
            f" {RATE:,} events/s beside: p50 {read.p50 * 1000:.1f}, p99 {read.p99 * 1000:.1f} ms"
            f" (must be under {MOST_MS}); a bare SELECT p50 {floor.p50 * 1000:.1f}, p99"
            f" {floor.p99 * 1000:.1f} ms; events seen after {each.alone.p50 * 1000:.0f} ms alone,"
            f" {each.beside.p50 * 1000:.0f} ms beside readers (p99 {each.alone.p99 * 1000:.0f},"
            f" {each.beside.p99 * 1000:.0f})"
        )
    slowed = median(each.beside.p50 / each.alone.p50 for each in found)
    console.print(f"events are seen {slowed - 1:+.1%} later beside readers (must be under +10 %)")


if __name__ == "__main__":
    main()
