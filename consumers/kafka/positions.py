"""Offsets of whole topics, as Kafka has them."""

import math
from collections.abc import Collection, Sequence
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code

from consumers.kafka.faults import KafkaFault
from consumers.kafka.topics import missing_permission, missing_topic, similar_topic


async def partitions_of(
    client: AIOKafkaAdminClient, reader: AIOKafkaConsumer, topics: Collection[str]
) -> Sequence[TopicPartition]:
    """All of these topics, which `reader` knows then. Raises KafkaFault for one that is missing or
    not permitted."""
    if not topics:  # asked for no topic Kafka would describe all
        return []
    partitions = []
    for described in await client.describe_topics(list(topics)):
        topic, error = described["topic"], for_code(described["error_code"])
        if why := missing_permission(error(topic)):
            raise KafkaFault(why)
        if error.errno:
            similar = similar_topic(topic, await client.list_topics())
            raise KafkaFault(missing_topic(topic, similar))
        partitions += [TopicPartition(topic, p["partition"]) for p in described["partitions"]]
    # All at once: else it learns of one topic after the other, and takes 0.1 s for each.
    await reader._client.set_topics(topics)  # noqa: SLF001
    return partitions


async def offsets_by(
    reader: AIOKafkaConsumer, partitions: Sequence[TopicPartition], at: datetime
) -> dict[TopicPartition, int]:
    """Of each partition the offset below which is what it held by `at`, by the timestamps."""
    ends: dict[TopicPartition, int] = await reader.end_offsets(partitions)
    milliseconds = math.ceil(at.timestamp() * 1000)
    found = await reader.offsets_for_times(dict.fromkeys(partitions, milliseconds))
    return ends | {tp: first.offset for tp, first in found.items() if first}
