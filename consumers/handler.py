"""What a topic's consumer module provides: how to decode a message, and what to do with a batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from consumers.dead_letters import DeadLetter, DeadLetterReason, Record
from repositories.consumer_offsets import NextOffset
from repositories.database import Database

Event = TypeVar("Event")
Event_contra = TypeVar("Event_contra", contravariant=True)


@dataclass(frozen=True)
class Refusal:
    """An event that the database's state speaks against: `position` in the batch, and why."""

    position: int
    reason: DeadLetterReason
    detail: str


@dataclass(frozen=True)
class Outcome:
    """What became of the events of a batch."""

    applied: int = 0
    stale: int = 0
    duplicate: int = 0
    changed_rows: int = 0
    refusals: Sequence[Refusal] = field(default=())


class HandleBatch(Protocol[Event_contra]):
    """Apply events and store the offsets after them in *one* transaction; safe to repeat."""

    async def __call__(
        self, database: Database, events: Sequence[Event_contra], offsets: Sequence[NextOffset]
    ) -> Outcome: ...


@dataclass(frozen=True)
class Subscription(Generic[Event]):
    """One topic, its contract, and what to do with a batch. `name` is the default topic's."""

    name: str
    decode: Callable[[Record], Event | DeadLetter]
    handle: HandleBatch[Event]
