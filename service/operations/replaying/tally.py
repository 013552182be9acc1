"""What a replay has come to so far, topic by topic."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from repositories.replaying.rehearsal import MovedMonth
from repositories.replaying.replayed import Conflict, Identity, Place, Replayed

LISTED = 1_000  # of each kind; all are counted


class Dead(NamedTuple):
    """A record that live consumption would dead-letter."""

    place: Place
    reason: DeadLetterReason
    detail: str


class Changed(NamedTuple):
    """A record that says now that it is another event than its row says."""

    place: Place
    says: Identity
    was: Identity


@dataclass
class TopicTally:
    """Counts of the records of one topic. Each that was read is counted once beside `read`."""

    read: int = 0
    new: int = 0
    corrected: int = 0
    moved: int = 0
    erased: int = 0
    other_provider: int = 0
    decoded_differently: int = 0
    not_correctable: int = 0
    identity_changed: int = 0
    undecided: int = 0  # where it was broken off
    dead: Counter[str] = field(default_factory=Counter)

    @property
    def already_applied(self) -> int:
        others = (
            self.new + self.corrected + self.moved + self.erased + self.other_provider
            + self.decoded_differently + self.not_correctable + self.identity_changed
            + self.undecided
        )  # fmt: skip
        return self.read - others - self.dead.total()

    def plain(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "already_applied": self.already_applied,
            **{name: number for name, number in vars(self).items() if name != "read"},
            "dead": dict(self.dead),
        }


@dataclass
class Tally:
    """Of all topics. `left` is how many messages are still to be read, at most."""

    topics: dict[str, TopicTally]
    left: int = 0
    dead: list[Dead] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    moved_months: Sequence[MovedMonth] = ()
    # By topic, whose the timestamps are: the log's, the publisher's.
    times: dict[str, set[str]] = field(default_factory=dict)

    def add(self, found: Replayed) -> None:
        """What the database made of a batch, but for its events by place."""
        for name, counts in (
            ("new", found.stored),
            ("corrected", found.corrected),
            ("erased", found.erased),
            ("decoded_differently", found.decoded_differently),
        ):
            self.count(name, counts)

    def count(self, name: str, by_topic: Mapping[str, int]) -> None:
        for topic, number in by_topic.items():
            tally = self.topics[topic]
            setattr(tally, name, getattr(tally, name) + number)

    def add_letters(self, letters: Iterable[DeadLetter]) -> None:
        for letter in letters:
            record = letter.record
            place = Place(record.topic, record.partition, record.offset)
            self.add_dead(Dead(place, letter.reason, letter.detail))

    def add_dead(self, dead: Dead) -> None:
        self.topics[dead.place.topic].dead[dead.reason] += 1
        if len(self.dead) < LISTED:
            self.dead.append(dead)

    def add_conflict(self, conflict: Conflict) -> None:
        self.topics[conflict.place.topic].not_correctable += 1
        if len(self.conflicts) < LISTED:
            self.conflicts.append(conflict)

    def add_changed(self, changed: Changed) -> None:
        self.topics[changed.place.topic].identity_changed += 1
        if len(self.changed) < LISTED:
            self.changed.append(changed)

    def whose_times(self, topic: str) -> str:
        return " and ".join(sorted(self.times.get(topic, ())))

    def total(self, name: str) -> int:
        return sum(getattr(tally, name) for tally in self.topics.values())

    def counts(self) -> dict[str, Any]:
        """For the record of operators' actions."""
        return {topic: tally.plain() for topic, tally in self.topics.items()}

    def plain(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        return {
            "topics": {
                topic: {"timestamps": self.whose_times(topic), **tally.plain()}
                for topic, tally in self.topics.items()
            },
            "dead": [each.place._asdict() | {"reason": each.reason, "detail": each.detail}
                     for each in self.dead],
            "not_correctable": [
                each.place._asdict() | {"source": each.source._asdict()} for each in self.conflicts
            ],
            "identity_changed": [
                each.place._asdict()
                | {"says": each.says._asdict(), "stored_as": each.was._asdict()}
                for each in self.changed
            ],
            "moved_months": [each._asdict() for each in self.moved_months],
        }  # fmt: skip
