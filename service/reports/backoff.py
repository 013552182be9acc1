"""Growing pauses between tries at something that fails again and again."""

import time

from consumers.engine.retry import RetryPolicy, tell_failure
from consumers.supervision.outage import Outage

PAUSES = RetryPolicy(first=1.0, longest=30.0)


class Backoff:
    """`doing` completes "failed while …" in the log. Pauses are seconds, from one to thirty."""

    def __init__(self, doing: str) -> None:
        self.outage = Outage(doing)
        self._failures = 0
        self._until = 0.0

    @property
    def pausing(self) -> bool:
        """Whether it is too early to try again."""
        return time.monotonic() < self._until

    def failed(self, error: Exception) -> float:
        """Say so; the seconds to wait before the next try."""
        self._failures += 1
        pause = PAUSES.pause(self._failures)
        self._until = time.monotonic() + pause
        extra = {"attempt": self._failures, "pause_seconds": round(pause, 1)}
        tell_failure(self.outage, error, extra)
        return pause

    def over(self) -> None:
        """It has worked; says so if it had failed before."""
        self.outage.over()
        self._failures, self._until = 0, 0.0
