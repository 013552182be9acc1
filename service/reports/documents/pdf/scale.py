"""The value axis of a chart."""

from dataclasses import dataclass
from math import ceil, floor, log10

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_TICKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """Ticks at multiples of a round step, from zero to the first at or above the largest."""

    step: float
    ticks: int

    @property
    def top(self) -> float:
        return self.step * self.ticks

    def values(self) -> list[float]:
        return [self.step * n for n in range(self.ticks + 1)]


def scale_for(largest: float, whole: bool) -> Scale:
    """`whole` for counts: no tick lies between two integers."""
    if largest <= 0:
        return Scale(1.0, 1)
    magnitude = 10.0 ** floor(log10(largest / MOST_TICKS))
    steps = [step * magnitude for step in STEPS]
    if whole:
        steps = [step for step in steps if step >= 1 and step == int(step)] or [1.0]
    step = next((s for s in steps if largest <= s * MOST_TICKS), steps[-1])
    return Scale(step, max(1, ceil(largest / step - 1e-9)))
