"""When the brake stops a topic, and when it does not."""

import pytest

from consumers.engine.brake import LEAST_JUDGED, Brake, BrakePolicy, Brakes
from consumers.engine.errors import MassDeadLettering


def by_run(run: int) -> Brake:
    return Brake(BrakePolicy(ratio=1.0, run=run))


def by_ratio(ratio: float, window: int = 2_000) -> Brake:
    return Brake(BrakePolicy(ratio=ratio, window=window, run=0))


def good(count: int) -> bytes:
    return b"\0" * count


def bad(count: int) -> bytes:
    return b"\1" * count


def take(brake: Brake, verdicts: bytes) -> None:
    """As a batch that is checked, committed and then remembered."""
    brake.check("topic", verdicts)
    brake.observe(verdicts)


def test_good_messages_never_stop_it() -> None:
    take(Brake(BrakePolicy(ratio=0.01, run=1)), good(10_000))


def test_a_run_stops_it_at_its_length_and_not_before() -> None:
    brake = by_run(5)
    take(brake, bad(4))
    with pytest.raises(MassDeadLettering, match="5 messages in a row"):
        take(brake, bad(1))


def test_a_good_message_ends_a_run() -> None:
    brake = by_run(5)
    for _ in range(10):
        take(brake, bad(4) + good(1))


def test_a_run_that_ends_within_the_batch_stops_it_all_the_same() -> None:
    with pytest.raises(MassDeadLettering, match="5 messages in a row"):
        by_run(5).check("topic", good(3) + bad(5) + good(1_000))


def test_a_run_goes_on_from_batch_to_batch() -> None:
    brake = by_run(300)
    for _ in range(2):
        take(brake, bad(100))
    with pytest.raises(MassDeadLettering):
        take(brake, bad(100))


def test_a_run_longer_than_the_window_is_counted() -> None:
    brake = Brake(BrakePolicy(ratio=1.0, window=LEAST_JUDGED, run=3 * LEAST_JUDGED))
    take(brake, bad(3 * LEAST_JUDGED - 1))
    with pytest.raises(MassDeadLettering, match=f"{3 * LEAST_JUDGED} messages in a row"):
        take(brake, bad(1))


def test_a_share_over_the_ratio_stops_it() -> None:
    brake = by_ratio(0.4)
    with pytest.raises(MassDeadLettering, match="101 of the last 201 messages"):
        take(brake, (bad(1) + good(1)) * 500)


def test_a_share_of_exactly_the_ratio_does_not() -> None:
    take(by_ratio(0.5), (good(1) + bad(1)) * 500)


def test_a_share_of_few_messages_is_not_judged() -> None:
    take(by_ratio(0.1), bad(LEAST_JUDGED - 1))


def test_only_the_window_is_judged() -> None:
    brake = by_ratio(0.5, LEAST_JUDGED)
    take(brake, good(100_000))
    take(brake, bad(LEAST_JUDGED // 2))
    with pytest.raises(MassDeadLettering):
        take(brake, bad(1))


def test_what_left_the_window_is_forgotten() -> None:
    brake = by_ratio(0.5, LEAST_JUDGED)
    for _ in range(10):
        take(brake, bad(LEAST_JUDGED // 2) + good(LEAST_JUDGED // 2))


def test_switched_off_it_lets_everything_through() -> None:
    take(Brake(BrakePolicy(ratio=1.0, run=0)), bad(100_000))


def test_checking_remembers_nothing() -> None:
    """A transaction that is tried again is judged again."""
    brake = by_run(5)
    for _ in range(10):
        brake.check("topic", bad(4))
    brake.observe(bad(4))
    for _ in range(2):
        with pytest.raises(MassDeadLettering):
            brake.check("topic", bad(1))


def test_what_was_stopped_by_a_check_can_be_followed_by_good_messages() -> None:
    brake = by_run(5)
    with pytest.raises(MassDeadLettering):
        brake.check("topic", bad(5))
    take(brake, bad(4) + good(1) + bad(4))


def test_each_topic_is_counted_by_itself_and_by_all_lanes_together() -> None:
    brakes = Brakes(BrakePolicy(ratio=1.0, run=5))
    for topic in ("one", "other"):
        brakes.of(topic).observe(bad(4))
    brakes.of("other").observe(good(1))
    brakes.of("other").check("other", bad(4))
    with pytest.raises(MassDeadLettering, match="one stopped: 5 messages in a row") as stopped:
        brakes.of("one").check("one", bad(1))
    assert stopped.value.topic == "one"


def test_it_says_how_to_let_them_through() -> None:
    with pytest.raises(MassDeadLettering, match="CLAIM_ANALYTICS_BRAKE_RUN=0"):
        take(Brake(BrakePolicy(run=1)), bad(1))
