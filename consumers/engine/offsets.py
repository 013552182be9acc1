"""Where a consumer starts in the partitions that it is assigned."""

from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from consumers.kafka.connection import KafkaConnection, start
from consumers.kafka.reach import reachable
from repositories.offsets import stored_offsets
from repositories.postgres.database import Database

Starts = dict[TopicPartition, int]


async def start_offsets(
    consumer: AIOKafkaConsumer,
    database: Database,
    group: str,
    partitions: Sequence[TopicPartition],
    former: "FormerGroups | None" = None,
) -> Starts:
    """The lower of the offset that Kafka has for the group and the one stored with the effects.

    After the database is restored from a backup Kafka's is ahead of it; after an operator has
    reset the group backwards Kafka's is behind. Both times the lower is right, and what is read
    twice is a duplicate. Where either is missing, reading starts from the earliest offset; but if
    the stored one is lower still, what it names is gone: it is returned, for the partition to stop.

    Where both are missing and `former` groups read these topics before, their offsets count.
    """
    stored = await stored_offsets(database, group)
    committed = {at: await consumer.committed(at) for at in partitions}
    known = {at: (committed[at], stored.get((at.topic, at.partition))) for at in partitions}
    if former:
        new = [at for at, both in known.items() if both == (None, None)]
        known |= await former.offsets(database, new) if new else {}
    earliest: Mapping[TopicPartition, int] = await consumer.beginning_offsets(
        [at for at, both in known.items() if None in both]
    )
    return {at: start_offset(*both, earliest.get(at, 0)) for at, both in known.items()}


def start_offset(committed: int | None, stored: int | None, earliest: int) -> int:
    """Of one partition; None where there is no offset."""
    if committed is None or stored is None:
        committed = earliest
    return committed if stored is None else min(committed, stored)


class FormerGroups:
    """Groups, one a topic, that read what one group reads now."""

    def __init__(self, connection: KafkaConnection, group_by_topic: Mapping[str, str]) -> None:
        self._connection = connection
        self._group_by_topic = group_by_topic

    async def offsets(
        self, database: Database, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, tuple[int | None, int | None]]:
        """What Kafka and what the database has for each, None where it is missing."""
        client = AIOKafkaAdminClient(**(await reachable(self._connection)).client_options())
        known: dict[TopicPartition, tuple[int | None, int | None]] = {}
        try:
            await start(client)
            for topic in sorted({at.topic for at in partitions}):
                group = self._group_by_topic[topic]
                committed = await client.list_consumer_group_offsets(group)
                stored = await stored_offsets(database, group)
                for at in partitions:
                    if at.topic == topic:
                        found = committed[at].offset if at in committed else -1
                        before = stored.get((at.topic, at.partition))
                        known[at] = (found if found >= 0 else None, before)
        finally:
            await client.close()
        return known
