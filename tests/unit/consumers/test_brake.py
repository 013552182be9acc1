"""When the brake stops a consumer, and when it does not."""

from itertools import cycle, islice

import pytest

from consumers.brake import LEAST_JUDGED, Brake, BrakePolicy
from consumers.errors import MassDeadLettering


def by_run(run: int) -> Brake:
    return Brake(BrakePolicy(ratio=1.0, run=run))


def by_ratio(ratio: float, window: int = 2_000) -> Brake:
    return Brake(BrakePolicy(ratio=ratio, window=window, run=0))


def good(count: int) -> list[bool]:
    return [False] * count


def bad(count: int) -> list[bool]:
    return [True] * count


def alternating(count: int) -> list[bool]:
    return list(islice(cycle([True, False]), count))


def test_good_messages_never_stop_it() -> None:
    Brake(BrakePolicy(ratio=0.01, run=1)).observe(good(10_000))


def test_a_run_stops_it_at_its_length_and_not_before() -> None:
    brake = by_run(5)
    brake.observe(bad(4))
    with pytest.raises(MassDeadLettering, match="5 messages in a row"):
        brake.observe(bad(1))


def test_a_good_message_ends_a_run() -> None:
    brake = by_run(5)
    for _ in range(10):
        brake.observe(bad(4) + good(1))


def test_a_run_goes_on_from_batch_to_batch() -> None:
    brake = by_run(300)
    for _ in range(2):
        brake.observe(bad(100))
    with pytest.raises(MassDeadLettering):
        brake.observe(bad(100))


def test_a_share_over_the_ratio_stops_it() -> None:
    brake = by_ratio(0.4)
    with pytest.raises(MassDeadLettering, match="101 of the last 201 messages"):
        brake.observe(alternating(1_000))


def test_a_share_of_exactly_the_ratio_does_not() -> None:
    brake = by_ratio(0.5)
    brake.observe([not outcome for outcome in alternating(1_000)])


def test_a_share_of_few_messages_is_not_judged() -> None:
    by_ratio(0.1).observe(bad(LEAST_JUDGED - 1))


def test_only_the_window_is_judged() -> None:
    brake = by_ratio(0.5, LEAST_JUDGED)
    brake.observe(good(100_000))
    brake.observe(bad(LEAST_JUDGED // 2))
    with pytest.raises(MassDeadLettering):
        brake.observe(bad(1))


def test_what_left_the_window_is_forgotten() -> None:
    brake = by_ratio(0.5, LEAST_JUDGED)
    for _ in range(10):
        brake.observe(bad(LEAST_JUDGED // 2) + good(LEAST_JUDGED // 2))


def test_switched_off_it_lets_everything_through() -> None:
    Brake(BrakePolicy(ratio=1.0, run=0)).observe(bad(100_000))


def test_it_says_how_to_let_them_through() -> None:
    with pytest.raises(MassDeadLettering, match="CLAIM_ANALYTICS_BRAKE_RUN=0"):
        Brake(BrakePolicy(run=1)).observe(bad(1))
