"""The time since the demo began."""

import time


class Clock:
    """Starts when it is made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._start
