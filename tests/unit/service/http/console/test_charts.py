"""What is drawn of samples."""

from datetime import UTC, datetime, timedelta

import pytest

from repositories.offset_samples import Moment
from service.http.console.charts import Chart, draw, lags, rates
from service.http.console.flow import POINTS, Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEP = timedelta(seconds=20)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def moment(seconds: float, *, lag: int = 0, read: int = 0, topic: str = "a") -> Moment:
    return Moment(topic, at(seconds), lag, read, read + lag, None)


def drawn(*values: tuple[float, float]) -> Chart:
    points = [(at(seconds), value) for seconds, value in values]
    return draw([points], at(0), at(600), STEP)


def test_a_line_goes_through_its_points_on_a_round_scale() -> None:
    chart = drawn((0, 0), (20, 7), (40, 3))
    assert chart.top == 10
    assert (chart.latest, chart.highest, chart.highest_at) == (3, 7, at(20))
    assert chart.lines[0].path == "M0.0 100.0L20.0 32.1 40.0 70.9"
    assert chart.lines[0].area == "M0.0 100L0.0 100.0 20.0 32.1 40.0 70.9 40.0 100Z"


def test_where_nothing_was_sampled_there_is_a_gap() -> None:
    assert drawn((0, 1), (20, 1), (200, 1), (220, 1)).lines[0].path.count("M") == 2
    assert drawn((0, 1), (20, 1), (80, 1), (100, 1)).lines[0].path.count("M") == 1


def test_without_points_there_is_no_line_and_no_division_by_zero() -> None:
    empty = drawn()
    assert (empty.lines[0].path, empty.latest, empty.top) == ("", None, 1)


def test_what_was_begun_lately_fills_the_width() -> None:
    assert drawn((200, 1), (600, 1)).begin == at(200)
    assert drawn((580, 1), (600, 1)).begin == at(300)  # five minutes at least


@pytest.mark.parametrize(("highest", "top"), [(0, 1), (1, 1), (1.1, 2), (19, 20), (51, 100)])
def test_the_scale_goes_to_one_two_or_five_and_zeros(highest: float, top: float) -> None:
    assert drawn((0, highest)).top == top


def test_lags_and_rates_are_added_over_topics() -> None:
    moments = [
        moment(0, lag=1, read=100),
        moment(0, lag=2, read=1_000, topic="b"),
        moment(20, lag=3, read=300),
        moment(20, lag=4, read=1_100, topic="b"),
    ]
    assert lags(moments) == [(at(0), 3), (at(20), 7)]
    assert rates(moments) == [(at(20), (200 + 100) / 20)]
    assert rates(moments, published=True) == [(at(20), (202 + 102) / 20)]


def test_a_topic_that_was_made_anew_has_no_negative_rate() -> None:
    assert rates([moment(0, read=100), moment(20, read=3)]) == [(at(20), 0)]


@pytest.mark.parametrize("hours", [1, 3, 12])
def test_a_window_has_no_more_points_than_a_chart(hours: int) -> None:
    window = Window(hours)
    assert window.since / window.step <= POINTS
    assert window.step % STEP == timedelta(0)
