"""The way of records that are read again: batch by batch into the tables, or into a rehearsal."""

import asyncio
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from consumers.engine.intake import Batch
from consumers.engine.retry import RetryPolicy, until_it_succeeds
from repositories.operations.letters import NO_LETTERS, BatchLetters, LetterId, Span
from repositories.replaying.replay import Batches, Work, merge_again
from repositories.replaying.replayed import Place, RefusedRecord, Replayed
from service.operations.replaying.kinds import Kind
from service.operations.replaying.tally import Dead, Tally


@dataclass
class Pace:
    """So many events a second at most, on the average of some seconds; None: as fast as it goes."""

    rate: float | None
    _free_at: float = 0.0

    async def wait(self, events: int) -> None:
        """Wait until that many more may go."""
        if self.rate is None:
            return
        now = time.monotonic()
        begins = max(now, self._free_at)
        self._free_at = begins + events / self.rate
        await asyncio.sleep(begins - now)  # `rate` events a second and no more


def letters_of(
    letters: Mapping[Place, LetterId], used: Collection[Place], until: Mapping[tuple[str, int], int]
) -> BatchLetters:
    """What `record_letters` is to resolve: the letters of the messages that were used."""
    copies: dict[tuple[str, int, int], LetterId] = {}
    spans: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
    for place in sorted(letters.keys() & set(used)):
        letter_id = letters[place]
        if letter_id[:3] != place:
            copies[place] = letter_id
            continue
        offsets, timestamps = spans.setdefault((place.topic, place.partition), ([], []))
        offsets.append(place.offset)
        timestamps.append(letter_id.timestamp)
    read = [Span(*at, *both) for at, both in spans.items()]
    return BatchLetters(copies=copies, read=read, known_until=until)


@dataclass
class Replaying:
    """Merges the batches of one kind of events, and counts what becomes of them.

    Several lanes may hand batches to it at once. `finish` is called when all have been read.
    """

    kind: Kind
    batches: Batches
    tally: Tally
    pace: Pace
    retry: RetryPolicy
    provider: UUID | None = None
    # Of each partition that has letters which are not resolved, the highest of their offsets.
    letters_until: Mapping[tuple[str, int], int] = field(default_factory=dict)
    _wanted: bytes = field(init=False)

    def __post_init__(self) -> None:
        self._wanted = str(self.provider).encode()

    async def take(self, batch: Batch[Any]) -> None:
        """Everything of a batch; what it comes to is counted once it is committed."""
        events: list[Any] = []
        topics: Counter[str] = Counter()
        others: Counter[str] = Counter()
        for chunk in batch.chunks:
            own = chunk.events if self.provider is None else self._own(chunk.events)
            events += own
            topics[chunk.partition.topic] += len(own)
            others[chunk.partition.topic] += len(chunk.events) - len(own)
        if events:
            await self.pace.wait(len(events))
            await self.apply(events, topics, self._letters_of(batch))
        self.tally.count("other_provider", others)
        self.tally.add_letters(batch.letters)
        self.tally.count("read", {topic: len(bad) for topic, bad in batch.verdicts().items()})

    async def apply(
        self, events: Sequence[Any], topics: Counter[str], letters: Mapping[Place, LetterId]
    ) -> None:
        """`letters` are those that the batch's messages have, if they have one."""
        found = await self.run(events, topics, merge_again, letters)
        self.tally.add(found)
        self.add_refused(found.refused)

    async def finish(self) -> None:
        """Nothing is left over."""

    def undecided(self) -> Counter[str]:
        """By topic, events that wait for `finish`."""
        return Counter()

    async def run(
        self,
        events: Sequence[Any],
        topics: Counter[str],
        work: Work,
        letters: Mapping[Place, LetterId],
    ) -> Replayed:
        def usable(found: Replayed) -> BatchLetters:
            if not letters:
                return NO_LETTERS
            left = {self._place(events[seq]) for seq in (*found.others, *found.stuck)}
            left |= {each.place for each in found.refused}
            left |= {each.place for each in found.conflicts}
            used = {self._place(event) for event in events} - left
            return letters_of(letters, used, self.letters_until)

        return await until_it_succeeds(
            lambda: self.batches.run(self.kind.events, events, topics, work, usable),
            f"replaying a batch of {self.kind.subscription.name}",
            self.retry,
        )

    def add_refused(self, refused: Sequence[RefusedRecord]) -> None:
        for each in refused:
            self.tally.add_dead(Dead(each.place, *self.kind.reason(each.other_provider)))

    def event_of(self, event: Any) -> Any:
        """What was decoded."""
        return event

    def _place(self, event: Any) -> Place:
        return self.kind.place(self.event_of(event))

    def _letters_of(self, batch: Batch[Any]) -> dict[Place, LetterId]:
        """Which letter messages may have; copies have that of the original."""
        found: dict[Place, LetterId] = {}
        for chunk in batch.chunks:
            at = chunk.partition
            until = self.letters_until.get((at.topic, at.partition), -1)
            for offset, timestamp in zip(chunk.offsets, chunk.timestamps, strict=True):
                if offset > until:
                    break
                place = Place(at.topic, at.partition, offset)
                found[place] = LetterId.of(*place, timestamp)
            for offset, letter_id in chunk.copies.items():
                found[Place(at.topic, at.partition, offset)] = letter_id
        return found

    def _own(self, events: Sequence[Any]) -> Sequence[Any]:
        """Those of the provider that is asked for. A line is not read whole for that."""
        decoded = [self.event_of(event) for event in events]
        if isinstance(decoded[0] if decoded else None, bytes):
            mine = [line.split(b"\t", 3)[2].lower() == self._wanted for line in decoded]
        else:
            mine = [row.provider_id == self.provider for row in decoded]
        return [event for event, wanted in zip(events, mine, strict=True) if wanted]
