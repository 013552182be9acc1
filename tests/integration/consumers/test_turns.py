"""Partitions take turns: a backlog comes in batches of few, and no partition keeps others out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic

from consumers.batches import Batch, BatchPolicy
from consumers.dead_letters import Record
from consumers.intake import PARTITIONS_AT_ONCE, Intake
from consumers.partition_reader import CHUNK, PartitionReader
from service.kafka import Message
from tests.harness.deployment import SUBMITTED, plan_deployment
from tests.harness.kafka import admin, producer, send
from tests.harness.waiting import LONG

NO_DATABASE = "postgresql://nobody@localhost/nothing"
PARTITIONS = 6


async def test_a_batch_of_a_backlog_has_few_partitions(kafka: str) -> None:
    events = 8 * CHUNK
    topic = await _backlog(kafka, [events] * PARTITIONS)
    async with _reading(kafka, topic, BatchPolicy(events, 2**30, LONG)) as intake:
        batches = [_sizes(await _taken(intake)) for _ in range(PARTITIONS_AT_ONCE)]
    # One more than take their turn at once: who comes after them, in the last of these batches.
    assert max(len(sizes) for sizes in batches) <= PARTITIONS_AT_ONCE + 1


async def test_no_partition_waits_for_the_end_of_other_backlogs(kafka: str) -> None:
    a_turn = 2 * CHUNK
    topic = await _backlog(kafka, [10 * a_turn] * PARTITIONS)
    seen: dict[int, int] = {}
    async with _reading(kafka, topic, BatchPolicy(a_turn, 2**30, LONG)) as intake:
        while len(seen) < PARTITIONS:
            for partition, size in _sizes(await _taken(intake)).items():
                seen[partition] = seen.get(partition, 0) + size
    assert max(seen.values()) <= 3 * a_turn


async def _backlog(kafka: str, sizes: list[int]) -> str:
    """A topic that holds so many messages in each of its partitions."""
    deployment = plan_deployment(kafka, NO_DATABASE)
    topic = deployment.topic(SUBMITTED)
    async with admin(deployment) as client:
        await client.create_topics([NewTopic(topic, len(sizes), 1)])
    async with producer(deployment) as publishing:
        for partition, size in enumerate(sizes):
            await send(publishing, [Message(topic, b"key", b"value", ())] * size, partition)
    return topic


@asynccontextmanager
async def _reading(kafka: str, topic: str, policy: BatchPolicy) -> AsyncIterator[Intake[str]]:
    """Readers of all partitions, which take every message for an event."""
    intake = Intake[str](policy)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, isolation_level="read_committed")
    await consumer.start()
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    readers = [PartitionReader(consumer, one, _event, intake) for one in partitions]
    tasks = [asyncio.create_task(reader.run(0)) for reader in readers]
    try:
        yield intake
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await consumer.stop()


async def _taken(intake: Intake[str]) -> Batch[str]:
    return await asyncio.wait_for(intake.take(), LONG)


def _event(_: Record) -> str:
    return "event"


def _sizes(batch: Batch[str]) -> dict[int, int]:
    """How many messages each partition has in a batch."""
    sizes: dict[int, int] = {}
    for chunk in batch.chunks:
        if chunk.records:
            number = chunk.partition.partition
            sizes[number] = sizes.get(number, 0) + len(chunk.records)
    return sizes
