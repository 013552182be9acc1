"""What a topic's module provides: how to decode its messages, and what to do with a batch."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from aiokafka import TopicPartition

from consumers.contracts.refusal import DeadLetter, DeadLetterReason, Record
from consumers.kafka.stops import Stop
from consumers.telemetry.batches import BatchNumbers
from consumers.telemetry.lag import Lags
from repositories.offsets import NextOffset
from repositories.operations.letters import NO_LETTERS, BatchLetters, Letter, Place
from repositories.postgres.database import Database

Event = TypeVar("Event")
Event_contra = TypeVar("Event_contra", contravariant=True)
Decode = Callable[[Record], Event | DeadLetter]


@dataclass(frozen=True)
class Refusal:
    """An event that the database's state speaks against: where it was read, why, whose it is."""

    topic: str
    partition: int
    offset: int
    reason: DeadLetterReason
    detail: str
    claim_id: UUID | None = None
    provider_id: UUID | None = None

    @property
    def place(self) -> Place:
        return self.topic, self.partition, self.offset


@dataclass(frozen=True)
class Outcome:
    """What became of the events of a batch; `erased` are of providers that were erased,
    `decoded_differently` the very records that stored rows came from, and read differently now;
    `corrected` of those applied are higher versions of claims that were known."""

    applied: int = 0
    stale: int = 0
    duplicate: int = 0
    changed_rows: int = 0
    refusals: Sequence[Refusal] = ()
    erased: int = 0
    decoded_differently: int = 0
    corrected: int = 0


# To be called with a batch's refusals before its transaction commits: what it raises rolls back,
# and what it returns are the letters to record for them.
Judge = Callable[[Sequence[Refusal]], Sequence[Letter]]


class HandleBatch(Protocol[Event_contra]):
    """Applies events, and records dead letters and the offsets after them, in *one* transaction;
    safe to repeat."""

    async def __call__(
        self,
        database: Database,
        events: Sequence[Event_contra],
        offsets: Sequence[NextOffset],
        judge: Judge,
        letters: BatchLetters = NO_LETTERS,
        /,
    ) -> Outcome: ...


@dataclass(frozen=True)
class Subscription(Generic[Event]):
    """Topics that are consumed together, by one consumer group.

    `decoders` has each topic by its default name; the settings may say another. What became of the
    events of all of them meets in one batch, if they are keyed alike. `replaces_groups`: until now
    each topic had a group of its own, named for the topic, and reading goes on where that stood.
    `optional`: without any of its topics the service runs all the same, until one appears.
    `in_lanes`: a process has a few members in its group and not one, for all subscriptions that
    lock providers the same number. So each shares providers with one lane of another, and never
    makes two of its lanes wait for each other.
    """

    name: str
    decoders: Mapping[str, Decode[Event]]
    handle: HandleBatch[Event]
    replaces_groups: bool = False
    optional: bool = False
    in_lanes: bool = False


def one_topic(topic: str, decode: Decode[Event], handle: HandleBatch[Event]) -> Subscription[Event]:
    return Subscription(topic, {topic: decode}, handle)


@dataclass
class Progress:
    """What the lanes of a subscription have done since this process started.

    `committed` has the next offset of each partition since it was assigned, `stopped` those that
    are read no further; `missing` names topics; `without_topic`: none is there to read, and the
    lanes wait for one. `joined` has the lanes that have been in the group, with or without a
    partition; `last_batch` is in seconds since 1970.
    """

    messages: int = 0
    applied: int = 0
    stale: int = 0
    duplicate: int = 0
    erased: int = 0
    decoded_differently: int = 0
    corrected: int = 0
    batches: int = 0
    last_batch: float | None = None
    dead_letters: Counter[DeadLetterReason] = field(default_factory=Counter)
    lags: Lags = field(default_factory=Lags)
    numbers: BatchNumbers = field(default_factory=BatchNumbers)
    assigned: set[TopicPartition] = field(default_factory=set)
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    stopped: dict[TopicPartition, Stop] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    without_topic: bool = False
    joined: set[int] = field(default_factory=set)

    def count(self, messages: int, outcome: Outcome, letters: Sequence[DeadLetter]) -> None:
        self.messages += messages
        self.batches += 1
        self.last_batch = time.time()
        self.applied += outcome.applied
        self.stale += outcome.stale
        self.duplicate += outcome.duplicate
        self.erased += outcome.erased
        self.decoded_differently += outcome.decoded_differently
        self.corrected += outcome.corrected
        self.dead_letters.update(letter.reason for letter in letters)

    def begin(self, partition: TopicPartition, next_offset: int) -> None:
        """It is assigned anew, and read from there; nothing is known of it yet."""
        self.stopped.pop(partition, None)
        self.committed.pop(partition, None)
        self.lags.begin(partition, next_offset)

    def totals(self) -> dict[str, int]:
        """All that was applied, for the log."""
        return {
            "batches": self.batches,
            "messages": self.messages,
            "applied": self.applied,
            "stale": self.stale,
            "duplicate": self.duplicate,
            "dead_lettered": self.dead_letters.total(),
        }

    @property
    def nothing_left(self) -> bool:
        """Whether every partition that this process has is stopped."""
        return bool(self.assigned) and self.assigned <= self.stopped.keys()


AnySubscription = Subscription[Any]
