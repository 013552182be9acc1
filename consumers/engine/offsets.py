"""Where a consumer starts in the partitions that it is assigned."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from consumers.kafka.connection import KafkaConnection, start
from consumers.kafka.reach import reachable
from repositories.offsets import stored_offsets, unsent_letters
from repositories.postgres.database import Database


class Start(NamedTuple):
    """Where reading begins in a partition. `is_new`: the database has no offset of it yet."""

    offset: int
    is_new: bool


Starts = dict[TopicPartition, Start]


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

    A dead letter that was recorded and not sent, if its message is there, is read again all the
    same: Kafka's offset can be beyond it, after a restore or because an operator set it forwards.

    Where both are missing and `former` groups read these topics before, their offsets count.
    """
    stored = await stored_offsets(database, group)
    unsent = await unsent_letters(database, group)  # after the offsets that they were stored with
    committed = {at: await consumer.committed(at) for at in partitions}
    known = {at: (committed[at], stored.get((at.topic, at.partition))) for at in partitions}
    if former:
        new = [at for at, both in known.items() if both == (None, None)]
        known |= await former.offsets(database, new) if new else {}
    earliest: Mapping[TopicPartition, int] = await consumer.beginning_offsets(
        [at for at, both in known.items() if None in both or tuple(at) in unsent]
    )
    return {
        at: Start(
            start_offset(*both, earliest.get(at, 0), unsent.get(tuple(at), ())),
            is_new=tuple(at) not in stored,
        )
        for at, both in known.items()
    }


def start_offset(
    committed: int | None, stored: int | None, earliest: int, unsent: Collection[int] = ()
) -> int:
    """Of one partition; None where there is no offset. `unsent` are offsets of dead letters."""
    if committed is None or stored is None:
        committed = earliest
    lower = committed if stored is None else min(committed, stored)
    return min([lower, *(offset for offset in unsent if offset >= earliest)])


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
