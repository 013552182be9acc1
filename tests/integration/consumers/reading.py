"""A lane's reader and its intake, without the lane: on partitions that are assigned by hand."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Generic

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.engine.brake import BrakePolicy, Brakes
from consumers.engine.intake import Batch, BatchPolicy, Intake
from consumers.engine.offsets import Start, Starts
from consumers.engine.orders import Orders
from consumers.engine.reader import Reader
from consumers.engine.subscription import Decode, Event, Progress
from tests.harness.waiting import LONG

FETCH_BYTES = 16 * 1024  # of a partition: small beside a batch, as in production


@dataclass
class Reading(Generic[Event]):
    """What a reader works on, and what it hands on."""

    consumer: AIOKafkaConsumer
    intake: Intake[Event]
    brakes: Brakes = field(default_factory=lambda: Brakes(BrakePolicy()))
    progress: Progress = field(default_factory=Progress)
    orders: Orders = field(default_factory=Orders)
    task: asyncio.Task[None] = field(init=False)
    ends: bool = False  # whether the reader may end before the block does

    async def ended(self) -> BaseException | None:
        """The error that the reader ends with, if any."""
        self.ends = True
        await asyncio.wait({self.task}, timeout=LONG)
        return self.task.exception()

    async def batch(self) -> Batch[Event]:
        return await asyncio.wait_for(self.intake.take(), LONG)


@asynccontextmanager
async def reading(
    kafka: str,
    starts: Mapping[TopicPartition, int],
    decoders: Mapping[str, Decode[Event]],
    policy: BatchPolicy,
    group: str | None = None,
    *,
    is_new: bool = True,
) -> AsyncIterator[Reading[Event]]:
    """A reader of these partitions, from these offsets; `is_new` as in `Start`."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    await consumer.start()
    consumer.assign(list(starts))
    found = Reading(consumer, Intake[Event](policy))

    async def where_to_start() -> Starts:
        return {at: Start(offset, is_new) for at, offset in starts.items()}

    reader = Reader(
        consumer, decoders, found.intake, found.brakes, found.progress, orders=found.orders
    )
    found.task = task = asyncio.create_task(reader.run(list(starts), where_to_start))
    try:
        yield found
        assert found.ends or not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await consumer.stop()


def sizes(batch: Batch[Event]) -> Counter[tuple[str, int]]:
    """How many messages each partition has in a batch."""
    found: Counter[tuple[str, int]] = Counter()
    for chunk in batch.chunks:
        found[chunk.partition.topic, chunk.partition.partition] += len(chunk.verdicts)
    return +found
