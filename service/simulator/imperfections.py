"""What goes wrong on the way: how often, and the disorder it makes of a tidy sequence."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final

from service.simulator.messages import TOPIC_KEY_PAID, Change
from service.simulator.tally import Tally

_MOST_WAITING: Final = 10_000  # submissions held back for their payment at one time


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


class Disorder:
    """Changes the order of events, never their number or content.

    An event that is late comes up to `late_by` messages after its turn, one that is shuffled up
    to 20; a submission that is overtaken by its payment waits for it. When the sequence ends,
    what was held back follows.
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
        if change.data["claim_version"] == 1 and rng.random() < rates.paid_first:
            return self._wait_for_payment(change)
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

    def _wait_for_payment(self, change: Change) -> bool:
        if len(self._overtaken) >= _MOST_WAITING:
            return False
        self._tally.paid_first += 1
        self._overtaken[change.claim.claim_id] = change
        return True

    def _let_go(self, change: Change) -> Iterator[Change]:
        yield change
        if change.topic_key == TOPIC_KEY_PAID:
            submission = self._overtaken.pop(change.claim.claim_id, None)
            if submission is not None:
                yield submission
