"""How far behind a partition is, in messages and in seconds."""

import time
from typing import Any

import pytest
from aiokafka import TopicPartition

from consumers.telemetry.lag import Lags

AT = TopicPartition("topic", 0)


def ago(seconds: float) -> int:
    """A timestamp of then."""
    return int((time.time() - seconds) * 1000)


def lag(lags: Lags, after: float = 0.0) -> tuple[Any, Any]:
    """As it is told so many seconds from now."""
    return lags.all(time.time() + after)[AT]


def begun(end: int, next_offset: int = 0) -> Lags:
    lags = Lags()
    lags.begin(AT, next_offset)
    lags.told(AT, end)
    return lags


def test_nothing_is_told_before_the_end_is_known() -> None:
    lags = Lags()
    lags.begin(AT, 0)
    assert lags.all(time.time()) == {}


def test_an_idle_topic_is_not_behind_however_old_its_last_message_is() -> None:
    lags = begun(end=5)
    lags.read(AT, ago(3600))
    lags.applied(AT, 5, ago(3600))
    assert lag(lags, after=7200) == (0, 0.0)


def test_a_backlog_is_as_old_as_its_first_message_and_younger_with_each_batch() -> None:
    lags = begun(end=10)
    lags.read(AT, ago(3600))
    lags.read(AT, ago(3540))
    assert lag(lags) == (10, pytest.approx(3600, abs=5))
    lags.applied(AT, 6, ago(1800))
    assert lag(lags) == (4, pytest.approx(1800, abs=5))


def test_what_stands_still_grows_older_with_the_clock() -> None:
    lags = begun(end=6)
    lags.applied(AT, 5, ago(3600))
    (_, now), (_, later) = lag(lags), lag(lags, after=60)
    lags.told(AT, 9)
    assert later - now == pytest.approx(60, abs=1)
    assert lag(lags)[0] == 4


def test_after_a_quiet_time_a_message_is_as_old_as_it_is_and_not_as_the_one_before_it() -> None:
    lags = begun(end=5)
    lags.applied(AT, 5, ago(3600))
    lags.told(AT, 5)
    lags.told(AT, 6)  # not read yet
    assert lag(lags, after=3) == (1, pytest.approx(3, abs=1))
    lags.read(AT, ago(2))
    assert lag(lags, after=3) == (1, pytest.approx(5, abs=1))


def test_a_partition_that_was_stopped_before_this_instance_began_is_late_since_then() -> None:
    lags = begun(end=5)
    assert lag(lags)[1] < 5
    lags.stopped_since(AT, time.time() - 600)
    assert lag(lags) == (5, pytest.approx(600, abs=5))
    lags.begin(AT, 5)  # assigned anew
    lags.told(AT, 5)
    assert lag(lags) == (0, 0.0)
