"""How fast messages go through, now and over the last seconds."""

from collections import deque
from itertools import pairwise

BARS = "▁▂▃▄▅▆▇█"


class Throughput:
    """Takes in a running total from time to time; times are in seconds, from any zero."""

    def __init__(self, remembered: int = 30, smoothed: int = 5) -> None:
        self._points: deque[tuple[float, int]] = deque(maxlen=remembered + 1)
        self._smoothed = smoothed

    def note(self, at: float, total: int) -> None:
        self._points.append((at, total))

    def per_second(self) -> float:
        """The mean over the latest few notes."""
        points = list(self._points)[-self._smoothed - 1 :]
        return _rate(points[0], points[-1]) if len(points) > 1 else 0.0

    def recent(self) -> list[float]:
        """The rate between each two notes, the oldest first."""
        return [_rate(one, other) for one, other in pairwise(self._points)]


def sparkline(rates: list[float]) -> str:
    """A bar for each rate, the highest at full height."""
    highest = max(rates, default=0.0) or 1.0
    return "".join(BARS[round(rate / highest * (len(BARS) - 1))] for rate in rates)


def _rate(one: tuple[float, int], other: tuple[float, int]) -> float:
    seconds = other[0] - one[0]
    return (other[1] - one[1]) / seconds if seconds > 0 else 0.0
