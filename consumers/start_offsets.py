"""Where a consumer starts in a partition that it is assigned."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from repositories.consumer_offsets import stored_offset
from repositories.database import Database


async def start_offset(
    consumer: AIOKafkaConsumer, database: Database, group: str, partition: TopicPartition
) -> int:
    """The lower of the offset that Kafka has for the group and the one stored with the effects.

    After the database is restored from a backup Kafka's is ahead of it; after an operator has
    reset the group backwards Kafka's is behind. Both times the lower is right, and what is read
    twice is a duplicate. Where either is missing, reading starts from the earliest offset. But if
    the stored one is lower still, what it names is gone: it is returned, for the partition to stop.
    """
    committed = await consumer.committed(partition)
    stored = await stored_offset(database, group, partition.topic, partition.partition)
    if committed is None or stored is None:
        earliest: dict[TopicPartition, int] = await consumer.beginning_offsets([partition])
        committed = earliest[partition]
    return int(committed) if stored is None else min(int(committed), stored)
