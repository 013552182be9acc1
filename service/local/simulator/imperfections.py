"""What goes wrong on the way: how often, and the disorder it makes of a tidy sequence."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from enum import Enum, auto
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final

from service.local.simulator.messages import PAID, SUGGESTION, Change

_MOST_WAITING: Final = 10_000  # first events held back for their payment at one time


@dataclass(frozen=True, slots=True)
class Imperfections:
    """Rates between 0 and 1.

    `duplicates` and `garbage` are shares of all messages, `late` and `shuffled` of the events,
    `paid_first` of the claims. `another_id` is the share of duplicates that bear a new `ce_id`.
    """

    duplicates: float = 0.02
    another_id: float = 0.5
    late: float = 0.01
    shuffled: float = 0.05
    paid_first: float = 0.01
    garbage: float = 0.002

    def __post_init__(self) -> None:
        if any(not 0 <= rate <= 1 for rate in astuple(self)):
            raise ValueError(f"rates of imperfections lie between 0 and 1: {self}")
        if self.duplicates + self.garbage > 0.9:
            raise ValueError("duplicates and garbage together must leave a tenth for real events")
        if self.late + self.shuffled > 1:
            raise ValueError("late and shuffled together are a share of the events, at most 1")


USUAL: Final = Imperfections()
FLAWLESS: Final = Imperfections(0, 0, 0, 0, 0, 0)


@dataclass(slots=True)
class Tally:
    """Counts of messages handed out so far.

    When all of them have been consumed, `claim_events` holds `events` rows, `claims` holds
    `claims`, `ai_suggestions` holds `suggestions`, and the dead letters number `garbage` by their
    reason.
    """

    by_topic: Counter[str] = field(default_factory=Counter)  # distinct events, by topic_key
    claims: int = 0  # distinct claims among these events
    duplicates: int = 0  # further copies of events
    garbage: Counter[str] = field(default_factory=Counter)  # by the reason of the dead letter
    late: int = 0  # events published long after they happened
    shuffled: int = 0  # events published a little after their neighbours
    paid_first: int = 0  # first events of a claim published only after its payment

    @property
    def events(self) -> int:
        """Distinct claim events."""
        return self.by_topic.total() - self.suggestions

    @property
    def suggestions(self) -> int:
        """Distinct events of the coach."""
        return self.by_topic[SUGGESTION]

    @property
    def messages(self) -> int:
        """All that was handed out."""
        return self.by_topic.total() + self.duplicates + self.garbage.total()

    def add_event(self, change: Change) -> None:
        self.by_topic[change.topic_key] += 1
        if change.topic_key != SUGGESTION and not change.claim.published:
            change.claim.published = True
            self.claims += 1


class Disorder:
    """Changes the order of events, never their number or content.

    An event that is late comes up to `late_by` messages after its turn, one that is shuffled up
    to 20; a claim's first event that is overtaken by its payment waits for it. When the sequence
    ends, what was held back follows.
    """

    def __init__(self, rng: Random, rates: Imperfections, late_by: int, tally: Tally) -> None:
        self._rng = rng
        self._rates = rates
        self._late_by = max(1, late_by)
        self._tally = tally
        self._held: list[tuple[int, int, Change]] = []  # (turn when it is let go, tie, change)
        self._ties = count()
        self._overtaken: dict[str, Change] = {}  # by claim_id

    def apply(self, changes: Iterator[Change]) -> Iterator[Change]:
        for turn, change in enumerate(changes):
            if not self._hold(turn, change):
                yield from self._let_go(change)
            while self._held and self._held[0][0] <= turn:
                yield from self._let_go(heappop(self._held)[2])
        while self._held:
            yield from self._let_go(heappop(self._held)[2])
        yield from self._overtaken.values()

    def _hold(self, turn: int, change: Change) -> bool:
        rates, rng = self._rates, self._rng
        if change.data.get("claim_version") == 1 and rng.random() < rates.paid_first:
            if len(self._overtaken) >= _MOST_WAITING:
                return False
            self._tally.paid_first += 1
            self._overtaken[change.claim.claim_id] = change
            return True
        draw = rng.random()
        if draw < rates.late:
            self._tally.late += 1
            longest = self._late_by
        elif draw < rates.late + rates.shuffled:
            self._tally.shuffled += 1
            longest = 20
        else:
            return False
        heappush(self._held, (turn + rng.randint(1, longest), next(self._ties), change))
        return True

    def _let_go(self, change: Change) -> Iterator[Change]:
        yield change
        if change.topic_key == PAID:
            first = self._overtaken.pop(change.claim.claim_id, None)
            if first is not None:
                yield first


class Kind(Enum):
    """What the next message is."""

    EVENT = auto()
    DUPLICATE = auto()
    GARBAGE = auto()


def exact_kinds(rng: Random, events: int, duplicates: int, garbage: int) -> Iterator[Kind]:
    """Exactly so many in random order, an event first: drawn one by one, without a list."""
    left = Counter({Kind.EVENT: events, Kind.DUPLICATE: duplicates, Kind.GARBAGE: garbage})
    kind = Kind.EVENT  # there is nothing to copy or spoil before it
    while total := left.total():
        left[kind] -= 1
        yield kind
        kind = _kind(rng.random() * (total - 1), left[Kind.DUPLICATE], left[Kind.GARBAGE])


def endless_kinds(rng: Random, rates: Imperfections) -> Iterator[Kind]:
    """The same shares on average, an event first, without end."""
    yield Kind.EVENT
    while True:
        yield _kind(rng.random(), rates.duplicates, rates.garbage)


def _kind(draw: float, duplicates: float, garbage: float) -> Kind:
    if draw < duplicates:
        return Kind.DUPLICATE
    return Kind.GARBAGE if draw < duplicates + garbage else Kind.EVENT
