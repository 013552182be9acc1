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
    return await read_topics(deployment, [topic])


async def read_topics(deployment: Deployment, topics: Iterable[str]) -> list[ConsumerRecord]:
    """Everything that these topics hold now; one that is missing holds nothing."""
    partitions = await _partitions(deployment, topics)
    async with _reader(deployment) as reader:
        reader.assign(partitions)
        ends = await reader.end_offsets(partitions)
        records: list[ConsumerRecord] = []
        while any([await reader.position(partition) < end for partition, end in ends.items()]):
            for found in (await reader.getmany(timeout_ms=500)).values():
                records += found
    return records


async def dead_letters(deployment: Deployment) -> list[ConsumerRecord]:
    """All dead letters of the claim topics."""
    suffix = deployment.settings.topic_dlq_suffix
    return await read_topics(deployment, [topic + suffix for topic in deployment.topics])


async def all_end_offsets(deployment: Deployment) -> Positions:
    """Of every partition of the claim topics."""
    partitions = await _partitions(deployment, deployment.topics)
    async with _reader(deployment) as reader:
        ends = await reader.end_offsets(partitions)
        return {(at.topic, at.partition): offset for at, offset in ends.items()}


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
    return sorted(member[0] for member in (await _described(deployment, group))[5])


async def group_state(deployment: Deployment, group: str) -> str:
    """In Kafka's words, such as `Stable`."""
    return str((await _described(deployment, group))[2])


async def _described(deployment: Deployment, group: str) -> Any:
    async with admin(deployment) as client:
        return (await client.describe_consumer_groups([group]))[0].groups[0]


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


async def _partitions(deployment: Deployment, topics: Iterable[str]) -> list[TopicPartition]:
    async with admin(deployment) as client:
        described = await client.describe_topics(list(topics))
    return [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    ]
