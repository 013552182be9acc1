"""Peak memory over backlogs of unusual shapes."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing import get_context

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from service.local.simulator import OutgoingEvent
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.processes import Run, drain
from tests.benchmarks.workload import TOPICS, Workload, topics_named

MIB = 1024 * 1024
INFLATED = 7 * MIB  # of a record batch, with room for what stands around its values


@dataclass(frozen=True)
class Shape:
    """`header` and `padding` are bytes added to each message, `codec` the producer's."""

    name: str
    messages: int
    partitions: int = 6
    header: int = 0
    padding: int = 0
    codec: str | None = None


SHAPES = (
    Shape("150 kB headers", 3_000, header=150_000),
    Shape("1 MiB values", 300, padding=MIB - 2_000),
    Shape("gzip that inflates to 7 MiB", 600, padding=INFLATED // 8, codec="gzip"),
    Shape("zstd that inflates to 7 MiB", 600, padding=INFLATED // 8, codec="zstd"),
    Shape("topics of 12 partitions", 100_000, partitions=12),
)


def peaks(bench: Bench) -> Mapping[str, Run]:
    """A drain of each shape, over the topics of all events."""
    found = {}
    for number, shape in enumerate(SHAPES):
        names = topics_named(f"memory-{number}")
        environment = bench.environment("memory") | names
        topics = dict(zip(TOPICS, names.values(), strict=True))
        # Apart: the peak of a process counts that of the one that it was forked from.
        with ProcessPoolExecutor(1, get_context("spawn")) as apart:
            apart.submit(_preload, environment, shape, topics).result()
        found[shape.name] = drain(bench.stack, shape.messages, environment)
    return found


def _preload(environment: Mapping[str, str], shape: Shape, topics: Mapping[str, str]) -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # as in `main`
    asyncio.run(_publish(environment, shape, topics))


async def _publish(environment: Mapping[str, str], shape: Shape, topics: Mapping[str, str]) -> None:
    servers = settings_of(environment).kafka_bootstrap_servers
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    sizes = {"max.message.bytes": str(16 * MIB)}
    await admin.create_topics(
        [NewTopic(name, shape.partitions, 1, topic_configs=sizes) for name in topics.values()]
    )
    await admin.close()
    producer = AIOKafkaProducer(
        bootstrap_servers=servers,
        compression_type=shape.codec,
        max_batch_size=INFLATED if shape.codec else 256 * 1024,
        max_request_size=16 * MIB,
        linger_ms=50,
    )
    async with producer:
        for event in _shaped(Workload(events=shape.messages).history(), shape):
            await producer.send(
                topics[event.topic_key], event.value, event.key, headers=list(event.headers)
            )


def _shaped(events: Iterable[OutgoingEvent], shape: Shape) -> Iterator[OutgoingEvent]:
    """An unknown field, or an unknown header, makes an event larger and changes nothing else."""
    extra = b',"padding":"' + b"x" * shape.padding + b'"}' if shape.padding else b"}"
    header = [("x-padding", b"x" * shape.header)] if shape.header else []
    for event in islice(events, shape.messages):
        value = event.value.rstrip()[:-1] + extra
        yield replace(event, value=value, headers=[*event.headers, *header])
