"""How far a consumer group has read: what was in its topics by some time, and is not stored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.kafka import KafkaAdmin, Positions


@dataclass(frozen=True)
class Unread:
    """A partition of which messages wait: the next one to read, None if none was ever read, and
    the offset up to which there are some."""

    topic: str
    partition: int
    next_offset: int | None
    until: int
    messages: int  # at most: control records of transactions have offsets too


@dataclass(frozen=True)
class Asked:
    """What Kafka says of some topics: the first offset that each partition still has, and the
    offset below which lies what was there by the time that was asked for."""

    first: Positions
    until: Positions

    def unread(
        self, stored: Mapping[tuple[str, int], int], topics: Collection[str]
    ) -> Sequence[Unread]:
        """Partitions of these topics of which not all is stored, in their order. Of what nobody
        has read and the broker has no more nothing is said."""
        found = []
        for (topic, partition), until in sorted(self.until.items()):
            next_offset = stored.get((topic, partition))
            begin = max(next_offset or 0, self.first[topic, partition])
            if topic in topics and begin < until:
                found.append(Unread(topic, partition, next_offset, until, until - begin))
        return found


async def ask(admin: KafkaAdmin, topics: Sequence[str], at: datetime | None) -> Asked:
    """By `at`, by the records' timestamps; None: by now. Raises KafkaFailed."""
    until = await (admin.offsets_at(topics, at) if at else admin.end_offsets(topics))
    return Asked(await admin.first_offsets(topics), until)
