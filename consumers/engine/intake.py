"""The bounded buffer between a lane's reader and its applier, and the batches that come out of it.

While one batch is being applied the next fills up here; when that is full the reader waits, and so,
through it, does Kafka.
"""

import asyncio
import contextlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic

from aiokafka import TopicPartition

from consumers.contracts.refusal import DeadLetter
from consumers.engine.subscription import Event
from repositories.operations.letters import LetterId, Place, Span


@dataclass(frozen=True)
class BatchPolicy:
    """When a batch is full, or old enough to go as it is.

    A backlog fills batches up to `max_events` or `max_bytes`, as they lie in memory; when there is
    none they go once their first event has waited `linger_seconds`.
    """

    max_events: int = 40_000
    max_bytes: int = 16 * 1024 * 1024
    linger_seconds: float = 0.02
    backlog_linger_seconds: float = 1.0  # instead, while a partition is known to be far behind


@dataclass(frozen=True)
class Chunk(Generic[Event]):
    """Consecutive messages of one partition, decoded, and where to go on after them.

    `next_offset` names the *next* message. It can lie beyond the last one here: the control records
    of transactions and the gaps of compaction have offsets too; there may even be none. `after` is
    the `next_offset` of the chunk before, or where reading begins (`begins`) the offset that it
    begins at; None for the first after a skip. `is_new`: nothing was stored then. `verdicts` has a
    byte for each message, in order: 1 where it could not be decoded (a copy of a dead letter apart,
    which is no news). `offsets` and `timestamps` (in milliseconds since 1970) are those of the
    messages; `copies` has the offsets of copies that a redrive has sent, and of which letter.
    `contexts` are trace contexts of some of them, where spans are made.
    """

    partition: TopicPartition
    after: int | None
    next_offset: int
    events: Sequence[Event] = ()
    letters: Sequence[DeadLetter] = ()
    verdicts: bytes = b""
    size: int = 0  # bytes in memory, about
    offsets: Sequence[int] = ()
    timestamps: Sequence[int] = ()
    copies: Mapping[int, LetterId] = field(default_factory=dict)
    contexts: Sequence[str] = ()
    begins: bool = False
    is_new: bool = False


@dataclass(frozen=True)
class Batch(Generic[Event]):
    """Chunks that are applied in one transaction, in the order of their arrival; they collected
    for so many seconds."""

    chunks: Sequence[Chunk[Event]]
    collected: float = 0.0

    def __len__(self) -> int:
        return sum(len(chunk.verdicts) for chunk in self.chunks)

    @property
    def next_offsets(self) -> dict[TopicPartition, int]:
        return {chunk.partition: chunk.next_offset for chunk in self.chunks}

    @property
    def begins_after(self) -> dict[TopicPartition, int | None]:
        """Where the messages of this batch begin, for each partition."""
        return {chunk.partition: chunk.after for chunk in reversed(self.chunks)}

    @property
    def begun(self) -> set[TopicPartition]:
        """The partitions in which reading begins with this batch."""
        return {chunk.partition for chunk in self.chunks if chunk.begins}

    @property
    def new(self) -> set[TopicPartition]:
        """Those of which nothing was stored then."""
        return {chunk.partition for chunk in self.chunks if chunk.is_new}

    @property
    def newest(self) -> dict[TopicPartition, int]:
        """The timestamp of each partition's last message, in milliseconds since 1970."""
        return {chunk.partition: chunk.timestamps[-1] for chunk in self.chunks if chunk.timestamps}

    @property
    def oldest(self) -> int | None:
        """The earliest timestamp that a chunk begins with, in milliseconds since 1970."""
        return min((chunk.timestamps[0] for chunk in self.chunks if chunk.timestamps), default=None)

    @property
    def contexts(self) -> list[str]:
        return list(dict.fromkeys(context for chunk in self.chunks for context in chunk.contexts))

    @property
    def events(self) -> list[Event]:
        return [event for chunk in self.chunks for event in chunk.events]

    @property
    def letters(self) -> list[DeadLetter]:
        return [letter for chunk in self.chunks for letter in chunk.letters]

    @property
    def read(self) -> list[Span]:
        """Every message, by its partition."""
        return [
            Span(chunk.partition.topic, chunk.partition.partition, chunk.offsets, chunk.timestamps)
            for chunk in self.chunks
            if chunk.offsets
        ]

    @property
    def copies(self) -> dict[Place, LetterId]:
        """The places of copies that a redrive has sent, and of which letter each is one."""
        return {
            (*chunk.partition, offset): letter_id
            for chunk in self.chunks
            for offset, letter_id in chunk.copies.items()
        }

    def verdicts(self) -> dict[str, bytes]:
        """By topic: a byte for each message, 1 where it speaks for the brake."""
        found: dict[str, bytes] = {}
        for chunk in self.chunks:
            topic = chunk.partition.topic
            found[topic] = found.get(topic, b"") + chunk.verdicts
        return found

    def without(self, topics: Collection[str]) -> "Batch[Event]":
        if not topics:
            return self
        kept = [chunk for chunk in self.chunks if chunk.partition.topic not in topics]
        return Batch(kept, self.collected)


@dataclass
class Intake(Generic[Event]):
    """Collects chunks into batches: one reader `put`s, one applier `take`s."""

    policy: BatchPolicy
    _chunks: list[Chunk[Event]] = field(default_factory=list)
    _events: int = 0
    _bytes: int = 0
    _oldest: float = 0.0
    behind: bool = False  # the reader's word: much is left to read
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, chunk: Chunk[Event]) -> None:
        """Add a chunk; waits while the batch at hand is full."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._full)
            if not self._chunks:
                self._oldest = time.monotonic()
            self._chunks.append(chunk)
            self._events += len(chunk.verdicts)
            self._bytes += chunk.size
            self._changed.notify_all()

    async def take(self) -> Batch[Event]:
        """The next batch: waits until one is full, or has waited long enough."""
        async with self._changed:
            while not (self._chunks and (self._full or self._seconds_left <= 0)):
                # In short waits: whether much is left to read can change meanwhile.
                most = min(self._seconds_left, self.policy.linger_seconds)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(most if self._chunks else None):
                        await self._changed.wait()
            batch = Batch(self._chunks, time.monotonic() - self._oldest)
            self._empty()
        return batch

    async def clear(self) -> None:
        """Forget everything: it may be another member's now, and is read again."""
        async with self._changed:
            self._empty()

    def _empty(self) -> None:
        self._chunks, self._events, self._bytes = [], 0, 0
        self._changed.notify_all()

    @property
    def _full(self) -> bool:
        return self._events >= self.policy.max_events or self._bytes >= self.policy.max_bytes

    @property
    def _seconds_left(self) -> float:
        policy = self.policy
        linger = policy.backlog_linger_seconds if self.behind else policy.linger_seconds
        return self._oldest + linger - time.monotonic()
