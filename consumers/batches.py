"""What travels from the partitions to the database: chunks, and the batches made of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from aiokafka import TopicPartition

from consumers.dead_letters import DeadLetter, Record

Event = TypeVar("Event")


@dataclass(frozen=True)
class BatchPolicy:
    """When a batch is full, or old enough to go as it is.

    A backlog fills batches up to `max_events` or `max_bytes` of messages; in calm water they go
    once their first event has waited `linger_seconds`.
    """

    max_events: int = 10_000
    max_bytes: int = 16 * 1024 * 1024
    linger_seconds: float = 0.05


@dataclass(frozen=True)
class Chunk(Generic[Event]):
    """Consecutive messages of one partition, decoded, and where to go on after them.

    `next_offset` names the *next* message. It can lie beyond the last record: the control records
    of transactions and the gaps of compaction have offsets too; `records` may even be empty.
    `after` is the `next_offset` of the chunk before, None for the first of a reader.
    """

    partition: TopicPartition
    after: int | None
    records: Sequence[Record]
    decoded: Sequence[Event | DeadLetter]
    next_offset: int
    size: int  # bytes of the values


@dataclass(frozen=True)
class Batch(Generic[Event]):
    """Chunks that are applied in one transaction, in the order of their arrival."""

    chunks: Sequence[Chunk[Event]]

    @property
    def next_offsets(self) -> dict[TopicPartition, int]:
        return {chunk.partition: chunk.next_offset for chunk in self.chunks}

    @property
    def begins_after(self) -> dict[TopicPartition, int | None]:
        """What the chunk before this batch had as its `next_offset`, for each partition."""
        return {chunk.partition: chunk.after for chunk in reversed(self.chunks)}

    def split(self) -> tuple[list[Event], list[Record], list[DeadLetter]]:
        """Events with the record of each, and the messages that could not be decoded."""
        events: list[Event] = []
        records: list[Record] = []
        letters: list[DeadLetter] = []
        for record, decoded in self._pairs():
            if isinstance(decoded, DeadLetter):
                letters.append(decoded)
            else:
                events.append(decoded)
                records.append(record)
        return events, records, letters

    def unusable(self) -> Iterator[bool]:
        """For each message whether it could not be decoded."""
        return (isinstance(decoded, DeadLetter) for _, decoded in self._pairs())

    def __len__(self) -> int:
        return sum(len(chunk.records) for chunk in self.chunks)

    def _pairs(self) -> Iterator[tuple[Record, Any]]:
        for chunk in self.chunks:
            yield from zip(chunk.records, chunk.decoded, strict=True)
