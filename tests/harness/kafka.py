"""The test's own dealings with Kafka: publishing, reading dead letters, groups and offsets."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import ConsumerRecord

from service.kafka import Message
from tests.harness.deployment import Deployment
from tests.harness.rows import Positions


@asynccontextmanager
async def producer(deployment: Deployment, **options: Any) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that takes any message, also one with neither key nor value."""
    client = AIOKafkaProducer(
        bootstrap_servers=deployment.bootstrap_servers,
        key_serializer=lambda box: box[0],
        value_serializer=lambda box: box[0],
        **options,
    )
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def send(
    client: AIOKafkaProducer, messages: Iterable[Message], partition: int | None = None
) -> list[Any]:
    """Send all; what the broker acknowledged of each (topic, partition, offset, …)."""
    sent = [
        await client.send(
            message.topic,
            key=(message.key,),
            value=(message.value,),
            headers=list(message.headers),
            partition=partition,
        )
        for message in messages
    ]
    return await asyncio.gather(*sent)


async def publish(deployment: Deployment, messages: Iterable[Message], **options: Any) -> list[Any]:
    """Publish all with a producer of these options."""
    async with producer(deployment, **options) as client:
        return await send(client, messages)


async def read_topic(deployment: Deployment, topic: str) -> list[ConsumerRecord]:
    """Everything that a topic holds now, partition by partition."""
    async with _reader(deployment) as reader:
        partitions = _partitions(deployment, topic)
        reader.assign(partitions)
        ends = await reader.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        while any([await reader.position(partition) < end for partition, end in ends.items()]):
            for found in (await reader.getmany(timeout_ms=500)).values():
                records += found
    return records


async def dead_letters(deployment: Deployment) -> list[ConsumerRecord]:
    """All dead letters of both topics."""
    suffix = deployment.settings.topic_dlq_suffix
    return [
        record
        for topic in deployment.topics
        for record in await read_topic(deployment, topic + suffix)
    ]


async def end_offsets(deployment: Deployment, topic: str) -> Positions:
    async with _reader(deployment) as reader:
        ends = await reader.end_offsets(_partitions(deployment, topic))
        return {(tp.topic, tp.partition): offset for tp, offset in ends.items()}


async def committed(deployment: Deployment, group: str) -> Positions:
    """The next offsets that the group has committed to Kafka."""
    async with admin(deployment) as client:
        offsets = await client.list_consumer_group_offsets(group)
        return {(tp.topic, tp.partition): found.offset for tp, found in offsets.items()}


async def commit(deployment: Deployment, group: str, offsets: Positions) -> None:
    """Set a group's offsets as an operator would, while it has no members."""
    async with _reader(deployment, group_id=group, enable_auto_commit=False) as reader:
        partitions = {TopicPartition(*where): offset for where, offset in offsets.items()}
        reader.assign(list(partitions))
        await reader.commit(partitions)


async def members(deployment: Deployment, group: str) -> list[str]:
    """The ids of a group's members; a member that leaves and joins again gets a new one."""
    async with admin(deployment) as client:
        described = (await client.describe_consumer_groups([group]))[0].groups[0]
        return sorted(member[0] for member in described[5])


@asynccontextmanager
async def admin(deployment: Deployment) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=deployment.bootstrap_servers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def _reader(deployment: Deployment, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    reader = AIOKafkaConsumer(
        bootstrap_servers=deployment.bootstrap_servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        **options,
    )
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


def _partitions(deployment: Deployment, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, n) for n in range(deployment.settings.topic_partitions)]
