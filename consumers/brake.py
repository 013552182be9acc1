"""The brake on mass dead-lettering.

A few bad messages are their producer's affair. A flood of them is more likely a change of
contract or a topic set wrongly, and then a stopped consumer does less harm than a full DLQ.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from consumers.errors import MassDeadLettering

LEAST_JUDGED = 200  # a ratio over fewer messages says nothing


@dataclass(frozen=True)
class BrakePolicy:
    """When to stop. `ratio` is a share of the last `window` messages (1 or more: never);
    `run` is a number of bad messages in a row (0: never)."""

    ratio: float = 0.5
    window: int = 2_000
    run: int = 500


class Brake:
    """Counts good and bad messages of one consumer, in the order of their arrival."""

    def __init__(self, policy: BrakePolicy) -> None:
        self._policy = policy
        self._recent: deque[bool] = deque(maxlen=max(policy.window, LEAST_JUDGED))
        self._bad = 0
        self._run = 0

    def observe(self, unusable: Iterable[bool]) -> None:
        """Take in messages, True for a bad one. Raises MassDeadLettering at one too many."""
        for bad in unusable:
            self._count(bad)
            if bad:
                self._check()

    def _count(self, bad: bool) -> None:
        if len(self._recent) == self._recent.maxlen:
            self._bad -= self._recent[0]
        self._recent.append(bad)
        self._bad += bad
        self._run = self._run + 1 if bad else 0

    def _check(self) -> None:
        policy, judged = self._policy, len(self._recent)
        if policy.run and self._run >= policy.run:
            raise self._stop(f"{self._run} messages in a row could not be used")
        if judged >= LEAST_JUDGED and self._bad > policy.ratio * judged:
            raise self._stop(f"{self._bad} of the last {judged} messages could not be used")

    def _stop(self, what: str) -> MassDeadLettering:
        return MassDeadLettering(
            f"{what}, so the consumer stopped before it dead-letters a whole topic. The offsets of"
            " this batch are not committed. Look at the newest dead letters and at what is"
            " publishing. If these messages are to be dead-lettered all the same, start again with"
            " CLAIM_ANALYTICS_BRAKE_RATIO=1 and CLAIM_ANALYTICS_BRAKE_RUN=0."
        )
