"""From publishing an event to seeing its claim's figures, at a steady rate."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice

import asyncpg
from aiokafka import AIOKafkaProducer

from service.settings import Settings
from tests.benchmarks.processes import RUN
from tests.benchmarks.workload import Workload

WARM_UP_SECONDS = 5.0
POLL_SECONDS = 0.01
Place = tuple[str, int, int]  # topic, partition, offset

# An event and its figures become visible in one commit, so seeing the event is enough.
VISIBLE = """
    SELECT source_topic, source_partition, max(source_offset) FROM claim_events GROUP BY 1, 2
"""


async def latencies(
    settings: Settings, environment: Mapping[str, str], rate: int, seconds: int
) -> list[float]:
    """Publish `rate` events a second for `seconds`; how long each took to be seen, sorted."""
    sent: dict[Place, float] = {}
    seen: dict[Place, float] = {}
    async with _service(environment):
        count = int(rate * (WARM_UP_SECONDS + seconds))
        publishing = asyncio.create_task(_publish(settings, rate, count, sent))
        await _watch(settings, publishing, sent, seen)
    began = min(sent.values()) + WARM_UP_SECONDS
    return sorted(seen[place] - at for place, at in sent.items() if at >= began)


@asynccontextmanager
async def _service(environment: Mapping[str, str]) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *RUN,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _publish(settings: Settings, rate: int, count: int, sent: dict[Place, float]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
    await producer.start()
    began = time.monotonic()
    acknowledged = []
    for number, event in enumerate(islice(Workload(seed=3, events=count).history(), count)):
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


async def _watch(
    settings: Settings,
    publishing: asyncio.Task[None],
    sent: Mapping[Place, float],
    seen: dict[Place, float],
) -> None:
    """Note when each offset is first covered; all before it in its partition are applied too."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    high: dict[tuple[str, int], int] = {}
    while not publishing.done() or not sent or len(seen) < len(sent):
        rows = await connection.fetch(VISIBLE)
        now = time.monotonic()
        for topic, partition, newest in rows:
            for offset in range(high.get((topic, partition), -1) + 1, newest + 1):
                seen[topic, partition, offset] = now
            high[topic, partition] = newest
        await asyncio.sleep(POLL_SECONDS)
    await connection.close()
