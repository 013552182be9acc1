"""The brake on mass dead-lettering: it counts per topic, over all lanes of a process.

A few bad messages are their publisher's affair. A flood of them is more likely a change of contract
or a topic set wrongly, and then a stopped topic does less harm than a full DLQ.
"""

from dataclasses import dataclass, field

from consumers.engine.errors import MassDeadLettering

LEAST_JUDGED = 200  # a ratio over fewer messages says nothing
BAD = 1


@dataclass(frozen=True)
class BrakePolicy:
    """When to stop. `ratio` is a share of the last `window` messages (1 or more: never);
    `run` is a number of bad messages in a row (0: never)."""

    ratio: float = 0.5
    window: int = 2_000
    run: int = 500


class Brake:
    """Judges good and bad messages of one topic; a byte a message, 1 for a bad one."""

    def __init__(self, policy: BrakePolicy) -> None:
        self._policy = policy
        self._window = max(policy.window, LEAST_JUDGED)
        self._recent = b""

    def check(self, topic: str, verdicts: bytes) -> None:
        """Whether these may follow what was observed: raises MassDeadLettering at one too many.

        Remembers nothing, so a transaction that is tried again can be judged again.
        """
        seen = self._recent + verdicts
        at = seen.find(BAD, len(self._recent))
        while at >= 0:
            self._judge(topic, seen, at + 1)
            at = seen.find(BAD, at + 1)

    def observe(self, verdicts: bytes) -> None:
        """Remember messages whose batch is committed."""
        self._recent = (self._recent + verdicts)[-max(self._window, self._policy.run) :]

    def _judge(self, topic: str, seen: bytes, end: int) -> None:
        policy = self._policy
        if (
            policy.run
            and end >= policy.run
            and seen.count(BAD, end - policy.run, end) == policy.run
        ):
            raise _stop(topic, f"{policy.run} messages in a row could not be used")
        judged = min(end, self._window)
        bad = seen.count(BAD, end - judged, end)
        if judged >= LEAST_JUDGED and bad > policy.ratio * judged:
            raise _stop(topic, f"{bad} of the last {judged} messages could not be used")


@dataclass
class Brakes:
    """The brakes of the topics of one subscription, and the topics that they have stopped."""

    policy: BrakePolicy
    stopped: dict[str, str] = field(default_factory=dict)  # topic: why, for the operator
    _by_topic: dict[str, Brake] = field(default_factory=dict)

    def of(self, topic: str) -> Brake:
        return self._by_topic.setdefault(topic, Brake(self.policy))


def _stop(topic: str, what: str) -> MassDeadLettering:
    return MassDeadLettering(
        topic,
        f"{topic} stopped: {what}, and going on would dead-letter a whole topic. Nothing of this"
        " batch is committed or dead-lettered; other topics go on. Look at the newest dead letters"
        " and at what is publishing. If these messages are to be dead-lettered all the same, start"
        " again with CLAIM_ANALYTICS_BRAKE_RATIO=1 and CLAIM_ANALYTICS_BRAKE_RUN=0.",
    )
