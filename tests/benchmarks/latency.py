"""From publishing an event to seeing its claim's figures, at a steady rate."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer

from service.local.simulator import OutgoingEvent
from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.processes import HERE, program
from tests.benchmarks.workload import Workload, preload, topics_named

LATENCIES = {1_000: 0.2, 2_000: 0.5}  # events a second: what the 99th percentile must be, seconds
SECONDS = 20
WARM_UP_SECONDS = 5.0
POLL_SECONDS = 0.01
LINGER_MS = 5  # as Kafka's own client has it since 4.0, and librdkafka
Place = tuple[str, int, int]  # topic, partition, offset

# An event, its figures and the offset after it become visible in one commit.
VISIBLE = "SELECT topic, partition, next_offset FROM consumer_offsets"


@dataclass(frozen=True)
class Latency:
    """In seconds."""

    p50: float
    p99: float
    most: float


def measure_latency(
    bench: Bench, rounds: int, against: Path | None
) -> Mapping[int, Sequence[tuple[Latency, Latency | None]]]:
    """By the rate; in alternation with another checkout, if there is one: then of submissions and
    payments alone, which both know."""
    return {
        rate: [
            (
                _latency(bench, rate, HERE, payments_alone=against is not None),
                _latency(bench, rate, against, payments_alone=True) if against else None,
            )
            for _ in range(rounds)
        ]
        for rate in LATENCIES
    }


def _latency(bench: Bench, rate: int, checkout: Path, *, payments_alone: bool) -> Latency:
    environment = bench.environment("latency", checkout)
    own = environment["CLAIM_ANALYTICS_GROUP_PREFIX"]
    environment |= topics_named(own)
    settings = settings_of(environment)
    asyncio.run(preload(settings, Workload(events=0)))
    command = [program(checkout), "run", "--only", "claims"]
    count = int(rate * (WARM_UP_SECONDS + SECONDS))
    workload = Workload(seed=3, events=count, payments_alone=payments_alone)
    return asyncio.run(_latency_at(settings, environment, command, rate, workload))


async def _latency_at(
    settings: Settings,
    environment: Mapping[str, str],
    command: Sequence[str],
    rate: int,
    workload: Workload,
) -> Latency:
    sent: dict[Place, float] = {}
    seen: dict[Place, float] = {}
    async with service(environment, command):
        publishing = asyncio.create_task(publish(settings, rate, [*workload.history()], sent))
        await watch(settings, publishing, sent, seen)
    return latency_of(sent, seen)


def latency_of(sent: Mapping[Place, float], seen: Mapping[Place, float]) -> Latency:
    """How long each event took to be seen, less those of the warm-up."""
    began = min(sent.values()) + WARM_UP_SECONDS
    seconds = sorted(seen[place] - at for place, at in sent.items() if at >= began)
    return Latency(seconds[len(seconds) // 2], seconds[int(len(seconds) * 0.99)], seconds[-1])


@asynccontextmanager
async def service(
    environment: Mapping[str, str], command: Sequence[str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        start_new_session=True,  # Linux shares out the cores by session, as it would by container
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def publish(
    settings: Settings, rate: int, events: Sequence[OutgoingEvent], sent: dict[Place, float]
) -> None:
    """Publish `rate` events a second; `sent` is filled in at the end."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, linger_ms=LINGER_MS
    )
    await producer.start()
    began = time.monotonic()
    acknowledged = []
    for number, event in enumerate(events):
        # The rate that is asked for.
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        at = time.monotonic()
        future = await producer.send(
            settings.topic(event.topic_key), event.value, event.key, headers=list(event.headers)
        )
        acknowledged.append((future, at))
    for future, at in acknowledged:
        record = await future
        sent[record.topic, record.partition, record.offset] = at
    await producer.stop()


async def watch(
    settings: Settings,
    publishing: asyncio.Task[None],
    sent: Mapping[Place, float],
    seen: dict[Place, float],
) -> None:
    """Note when each offset is first covered; all before it in its partition are applied too."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    high: dict[tuple[str, int], int] = {}
    while not publishing.done() or not sent.keys() <= seen.keys():
        rows = await connection.fetch(VISIBLE)
        now = time.monotonic()
        for topic, partition, following in rows:
            for offset in range(high.get((topic, partition), 0), following):
                seen[topic, partition, offset] = now
            high[topic, partition] = following
        await asyncio.sleep(POLL_SECONDS)  # a poll, as a dashboard would
    await connection.close()
