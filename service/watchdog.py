"""Whether the process's event loop and its jobs go on, or one of them is stuck.

The event loop ticks once a second. Jobs have a pulse each (`consumers/supervision/pulse.py`). The
silence of a job is counted in the loop's ticks: while the loop itself is stuck, or the whole
process is frozen, no job is blamed for it.

Waiting is no silence. A job that has nothing to do rests; one whose statement waits for PostgreSQL
is looked at from beside it and beats (`consumers/supervision/watch.py`), however long that takes.
"""

import asyncio
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from consumers.supervision.pulse import Pulses

LOOP = "event loop"
TICK_SECONDS = 1.0


@dataclass(frozen=True)
class Silence:
    """How long one is silent, in seconds, at what, and whether that is too long. `doing` of an
    event loop that is stuck is the line of code that it stands at."""

    name: str
    doing: str
    seconds: float
    stuck: bool

    def told(self) -> dict[str, object]:
        """For JSON."""
        since = datetime.now(UTC) - timedelta(seconds=self.seconds)
        return {
            "who": self.name,
            "doing": self.doing,
            "silent_since": since.isoformat(timespec="seconds"),
            "silent_seconds": round(self.seconds, 1),
        }


class Watchdog:
    """Fed in the event loop that it watches; asked from any thread.

    `loop_seconds`: nothing that the loop does by itself takes so long, on a busy machine either.
    `job_seconds`: no step of a job does, between two signs of life: statements are broken off after
    CLAIM_ANALYTICS_DATABASE_STATEMENT_SECONDS, and long work beats with each of its steps.
    """

    def __init__(self, loop_seconds: float = 30.0, job_seconds: float = 900.0) -> None:
        self._loop_seconds = loop_seconds
        self._job_seconds = job_seconds
        self._tick = min(TICK_SECONDS, loop_seconds / 4)
        self._thread = 0
        self._ticked: float | None = None  # None: it is not fed, and nothing is judged
        self._awake = 0.0  # seconds in which the loop has gone on
        self.pulses = Pulses(lambda: self._awake)

    async def feed(self) -> None:
        """Tick until cancelled."""
        self._thread = threading.get_ident()
        try:
            while True:
                now = time.monotonic()
                if self._ticked is not None:
                    self._awake += min(now - self._ticked, 2 * self._tick)
                self._ticked = now
                await asyncio.sleep(self._tick)  # the tick that shows that the loop goes on
        finally:
            self._ticked = None

    def silences(self) -> list[Silence]:
        """Of the event loop and of all jobs that work at the moment."""
        ticked = self._ticked
        if ticked is None:
            return []
        seconds = time.monotonic() - ticked
        stuck = seconds > self._loop_seconds
        found = [Silence(LOOP, self._place() if stuck else "", seconds, stuck)]
        for pulse in list(self.pulses.all.values()):
            if (beaten := pulse.beaten) is not None:
                seconds = max(0.0, self._awake - beaten)
                found.append(Silence(pulse.name, pulse.doing, seconds, seconds > self._job_seconds))
        return found

    def _place(self) -> str:
        """Where the loop's thread is, as file and line."""
        frame = sys._current_frames().get(self._thread)  # noqa: SLF001  # there is no other way
        return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else ""

    def stuck(self) -> list[Silence]:
        return [silence for silence in self.silences() if silence.stuck]
