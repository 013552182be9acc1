"""Distributions, as Prometheus has them."""

from bisect import bisect_left
from collections.abc import Sequence

# In seconds: from what a statement takes to what an outage does.
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
SIZES = (1, 5, 10, 50, 100, 500, 1_000, 5_000, 10_000, 20_000, 40_000)


class Histogram:
    """How many values lie up to each bound. One thread observes, any may read."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)  # the last: those above all bounds
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value
