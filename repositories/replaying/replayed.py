"""What becomes of records that are read again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID


class Place(NamedTuple):
    """Where a record is."""

    topic: str
    partition: int
    offset: int


class RefusedRecord(NamedTuple):
    """One that breaks the publisher's contract: its claim is another provider's, or else its event
    came with other content before."""

    place: Place
    other_provider: bool


class Conflict(NamedTuple):
    """A record whose event stands in the history with other content, from the record `source`."""

    place: Place
    source: Place


class Identity(NamedTuple):
    """Which event it is: a claim and its version, or an event of the AI coach (without one)."""

    event_id: UUID
    version: int | None
    provider_id: UUID


@dataclass(frozen=True)
class MergedBatch:
    """What the merge of a batch came to; `stored` events are new in the history."""

    stored: int
    refused: Sequence[RefusedRecord]
    decoded_differently: int


@dataclass(frozen=True)
class Replayed:
    """What became of a batch of records, by their topics. What is in none of it was there already.

    `known` were there already, and were taken out before the rest was looked at. `others`, `moved`
    and `stuck` are places of events in the batch.
    """

    known: Counter[str] = field(default_factory=Counter)
    stored: Counter[str] = field(default_factory=Counter)
    erased: Counter[str] = field(default_factory=Counter)
    corrected: Counter[str] = field(default_factory=Counter)
    decoded_differently: Counter[str] = field(default_factory=Counter)
    refused: Sequence[RefusedRecord] = ()
    conflicts: Sequence[Conflict] = ()
    others: Sequence[int] = ()
    moved: Sequence[int] = ()
    stuck: Sequence[int] = ()
