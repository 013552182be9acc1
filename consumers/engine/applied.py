"""What a lane has applied, for the log: a line a batch at debug level, and their sums at info."""

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

SUM_SECONDS = 10.0  # a lane tells at info level no more often


@dataclass
class AppliedBatches:
    """The batches of one lane that are not told at info level yet.

    The first after a pause is told at once; what follows is summed up. Nothing stays untold for
    longer than `SUM_SECONDS`, or past `flush`.
    """

    labels: Mapping[str, object]
    _batches: int = 0
    _sums: dict[str, float] = field(default_factory=dict)
    _last: dict[str, object] = field(default_factory=dict)  # of the newest batch, and offsets
    _offsets: dict[str, int] = field(default_factory=dict)
    _told: float = float("-inf")
    _timer: asyncio.TimerHandle | None = None

    def add(
        self, counts: Mapping[str, float], offsets: Mapping[str, int], newest_ms: int | None
    ) -> None:
        """A batch that is committed: its numbers, the next offset of each of its partitions, and
        the timestamp of its newest message in milliseconds since 1970."""
        age = None if newest_ms is None else round(max(0.0, time.time() - newest_ms / 1000), 1)
        self._last = {"newest_age_seconds": age}
        log.debug(
            "batch applied", extra={**self.labels, **counts, "offsets": offsets, **self._last}
        )
        self._batches += 1
        self._offsets |= offsets
        for name, number in counts.items():
            self._sums[name] = self._sums.get(name, 0) + number
        wait = self._told + SUM_SECONDS - time.monotonic()
        if wait <= 0:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(wait, self.flush)

    def flush(self) -> None:
        """Tell what is not told yet; to be called when the lane stops."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if not self._batches:
            return
        sums = {name: round(number, 1) for name, number in self._sums.items()}
        told = {"batches": self._batches, **sums, "offsets": self._offsets, **self._last}
        log.info("batches applied", extra={**self.labels, **told})
        self._batches, self._sums, self._offsets = 0, {}, {}
        self._told = time.monotonic()
