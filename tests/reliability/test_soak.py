"""The judgement of a soak: what grows is found, what is merely restless is not."""

from random import Random

import pytest

from tests.reliability.soak.bounds import Bound, bounds, findings
from tests.reliability.soak.plots import PLOTS, plot

SAMPLES = 180
RATE = 100.0
NAMES = {bound.name for bound in bounds(RATE)}


def flat(seed: int = 1) -> dict[str, list[float]]:
    """As a good soak leaves them: noise about a level, and a warm-up in memory."""
    rng = Random(seed)
    series = {name: [15 + rng.uniform(-1, 1) for _ in range(SAMPLES)] for name in NAMES}
    series["processes"] = [1.0] * SAMPLES
    series["memory, MB"] = [170 - 30 * 0.9**n + rng.uniform(-3, 3) for n in range(SAMPLES)]
    series["rows: claims"] = [10_000.0 + 100 * n for n in range(SAMPLES)]
    series["dead rows: claims"] = [rng.uniform(0, 5_000) for _ in range(SAMPLES)]
    series["dead rows: claims"][0] = 20_000  # those of the backlog
    return series


@pytest.mark.parametrize("seed", range(5))
def test_what_is_flat_and_noisy_passes(seed: int) -> None:
    assert findings(flat(seed), bounds(RATE)) == []


@pytest.mark.parametrize(
    ("name", "growth"),
    [("memory, MB", 0.2), ("open files", 0.1), ("connections", 0.06), ("threads", 0.05)],
)
def test_what_grows_is_found(name: str, growth: float) -> None:
    series = flat()
    series[name] = [value + growth * n for n, value in enumerate(series[name])]
    [finding] = findings(series, bounds(RATE))
    assert finding.startswith(f"{name} rose by ")


def test_one_that_is_too_high_once_is_found_but_not_in_the_warm_up() -> None:
    bound = Bound("oldest transaction, s", most=30)
    values = [1.0] * SAMPLES
    values[10] = 40
    assert bound.finding(values) is None
    values[100] = 40
    assert bound.finding(values) == "oldest transaction, s reached 40.00, and may 30.00"


def test_dead_rows_that_nobody_removes_are_found() -> None:
    series = flat()
    series["dead rows: claims"] = [500.0 * n for n in range(SAMPLES)]
    [finding] = findings(series, bounds(RATE))
    assert finding.startswith("dead rows: claims: ")


def test_a_plot_has_a_chart_for_each_series() -> None:
    names = PLOTS["process"]
    series = flat() | {"seconds": [10.0 * n for n in range(SAMPLES)]}
    drawn = plot(series, names)
    assert drawn.count('class="line"') == len(names)
    assert "30 minutes" in drawn
