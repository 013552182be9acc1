"""`replay --redecode`: rows are corrected by the very records that they came from."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from consumers.engine.retry import until_it_succeeds
from consumers.replay.ranges import Ranges
from repositories.operations.letters import LetterId
from repositories.replaying.replay import (
    TimedEvent,
    correct_own,
    merge_others,
    move,
)
from repositories.replaying.replayed import Conflict, Place, RefusedRecord, Replayed
from service.operations.errors import TooManyMisread
from service.operations.replaying.pipeline import Replaying
from service.operations.replaying.tally import Changed

Event = tuple[UUID, int | None]  # a claim and its version, or an event of the coach

AT_ONCE = 40_000  # events that wait for a look into the whole history, which reads all of it
MOST_MISREAD = 80_000  # that are held at once, some 400 bytes each
MOVED_AT_ONCE = 5_000


@dataclass
class Redecoding(Replaying):
    """In three steps, as what a record is can depend on what others are:

    1. While reading: rows are corrected by their own records. What is no row's own source waits.
    2. Of what waits the rows are looked up by their source. Who was misread is set aside, with its
       repetitions; what else is new is merged; what is refused waits on.
    3. At the end: with `identity` those that were misread are moved, whole claims together. Then
       what was refused has its last chance, since the row that stood in its way may be corrected
       or gone.
    """

    identity: bool = False
    ranges: Ranges = field(default_factory=dict)
    twice: set[Place] = field(default_factory=set)  # places that more than one row came from
    _letters: dict[Place, LetterId] = field(default_factory=dict)
    _waiting: list[TimedEvent] = field(default_factory=list)
    _misread: list[TimedEvent] = field(default_factory=list)
    _repeating: list[TimedEvent] = field(default_factory=list)  # events that are to be moved
    _refused: list[TimedEvent] = field(default_factory=list)
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_bound(len(self.twice))

    async def apply(
        self, events: Sequence[Any], topics: Counter[str], letters: Mapping[Place, LetterId]
    ) -> None:
        doubtful = [event for event in events if self._place(event) in self.twice]
        if doubtful:
            events = [event for event in events if self._place(event) not in self.twice]
            topics = topics - self._topics(doubtful)
        if events:
            found = await self.run(events, topics, correct_own, letters)
            doubtful += [events[seq] for seq in found.others]
            self.tally.add(found)
        self._waiting += doubtful
        waiting = letters.keys() & map(self._place, doubtful)
        self._letters |= {place: letters[place] for place in waiting}
        async with self._looking:
            while len(self._waiting) >= AT_ONCE:
                await self._look_up()

    async def finish(self) -> None:
        while self._waiting:
            await self._look_up()
        if self.identity:
            stuck: set[Event] = set()
            for together in _batches(self._misread, self._claims_of):
                stuck |= await self._move(together)
            self._refused += [each for each in self._repeating if self._event(each) not in stuck]
        else:
            for event in self._misread:
                self._list(event)
        self._misread, self._repeating = [], []
        await self._judge_refused()

    def event_of(self, event: TimedEvent) -> Any:
        return event.event

    def undecided(self) -> Counter[str]:
        return self._topics([*self._waiting, *self._misread, *self._repeating, *self._refused])

    async def _look_up(self) -> None:
        events, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        was = await until_it_succeeds(
            lambda: self.batches.look_up(self.kind.events, events),
            "looking rows up by their source",
            self.retry,
        )
        self._misread += [events[seq]._replace(was=identity) for seq, identity in was.items()]
        moving = {self._event(event) for event in self._misread}
        others = [event for seq, event in enumerate(events) if seq not in was]
        self._repeating += [event for event in others if self._event(event) in moving]
        self._check_bound(len(self._misread) + len(self._repeating))
        others = [event for event in others if self._event(event) not in moving]
        if others:
            self._wait_on(others, await self._merge(others))
        if len(self._refused) > MOST_MISREAD:
            await self._judge_refused()

    async def _merge(self, events: Sequence[TimedEvent]) -> Replayed:
        found = await self.run(events, self._topics(events), merge_others, self._letters)
        self.tally.add(found)
        return found

    def _wait_on(self, events: Sequence[TimedEvent], found: Replayed) -> None:
        """What is refused, until the rows that stand in its way are corrected or moved."""
        places = {each.place for each in found.refused}
        places |= {each.place for each in found.conflicts}
        self._refused += [event for event in events if self._place(event) in places]

    def _check_bound(self, misread: int) -> None:
        if misread > MOST_MISREAD:
            raise TooManyMisread(
                f"More than {MOST_MISREAD:,} records say that they are other events than their rows"
                " say. Replay one topic, or one provider, after the other."
            )

    async def _judge_refused(self) -> None:
        while self._refused:
            events, self._refused = self._refused[:AT_ONCE], self._refused[AT_ONCE:]
            found = await self._merge(events)
            self.add_refused(found.refused)
            for conflict in found.conflicts:
                self._judge(conflict)

    async def _move(self, events: Sequence[TimedEvent]) -> set[Event]:
        """Which events could not be moved."""
        found = await self.run(events, self._topics(events), move, self._letters)
        moved = Counter(self._place(events[seq]).topic for seq in found.moved)
        self.tally.count("moved", moved)
        self.tally.add(Replayed(stored=found.stored - moved, erased=found.erased))
        for seq in found.stuck:
            self._list(events[seq])
        stuck = {self._place(events[seq]) for seq in found.stuck}
        self._wait_on([each for each in events if self._place(each) not in stuck], found)
        return {self._event(events[seq]) for seq in found.stuck}

    def _list(self, event: TimedEvent) -> None:
        if event.was:
            says = self.kind.identity(event.event)
            self.tally.add_changed(Changed(self._place(event), says, event.was))

    def _judge(self, conflict: Conflict) -> None:
        """Where the row's own record was read as well, the row says what that says: then this one
        is the publisher's second content for one event."""
        source = conflict.source
        read = any(
            at.topic == source.topic
            and at.partition == source.partition
            and its.start <= source.offset < its.end
            for at, its in self.ranges.items()
        )
        if read and source != conflict.place:
            self.add_refused([RefusedRecord(conflict.place, other_provider=False)])
        else:
            self.tally.add_conflict(conflict)

    def _event(self, event: TimedEvent) -> Event:
        return self.kind.identity(event.event)[:2]

    def _topics(self, events: Sequence[TimedEvent]) -> Counter[str]:
        return Counter(self._place(event).topic for event in events)

    def _claims_of(self, event: TimedEvent) -> tuple[UUID, ...]:
        """That it says it is of, and that its row is of."""
        says = self.kind.identity(event.event)
        return (says.event_id, event.was.event_id) if event.was else (says.event_id,)


def _batches(events: Sequence[TimedEvent], claims_of: Any) -> list[list[TimedEvent]]:
    """Events in batches, so that all of a claim is in one: a claim's versions move together."""
    root: dict[UUID, UUID] = {}

    def find(claim: UUID) -> UUID:
        while (above := root.setdefault(claim, claim)) != claim:
            root[claim] = root.setdefault(above, above)
            claim = root[claim]
        return claim

    for event in events:
        first, *others = claims_of(event)
        for other in others:
            root[find(other)] = find(first)
    together: dict[UUID, list[TimedEvent]] = defaultdict(list)
    for event in events:
        together[find(claims_of(event)[0])].append(event)
    batches: list[list[TimedEvent]] = []
    for group in together.values():
        if not batches or len(batches[-1]) + len(group) > MOVED_AT_ONCE:
            batches.append([])
        batches[-1] += group
    return batches
