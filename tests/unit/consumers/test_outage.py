"""A fault that lasts: warnings for a minute, then an error once a minute, and a line at its end."""

import logging
import time

import pytest

from consumers.supervision.outage import Outage, lasting


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_after_a_minute_an_error_once_a_minute_says_how_long_and_what_to_do(
    told: pytest.LogCaptureFixture, clock: Clock
) -> None:
    outage = Outage("working")
    for second in range(0, 191, 10):
        clock.now = 1_000.0 + second
        outage.tell("it fails", "mend it")
    levels = [(record.levelname, record.message) for record in told.records]
    assert levels == [
        *[("WARNING", "it fails")] * 6,
        *[("ERROR", f"it fails. This has lasted for {s} s: mend it") for s in (60, 120, 180)],
    ]


def test_what_was_told_is_followed_by_its_end_and_nothing_else_is(
    told: pytest.LogCaptureFixture, clock: Clock
) -> None:
    outage = Outage("working")
    outage.over()
    outage.tell("it fails", "mend it", seconds=5)
    clock.now += 2
    outage.over()
    outage.over()
    assert told.messages == ["it fails", "recovered after 7.0 s: working"]


def test_what_lasts_can_be_asked_for_until_it_is_over_or_nobody_tries_any_more() -> None:
    before = {outage.what for outage in lasting()}

    def new() -> set[str]:
        return {outage.what for outage in lasting()} - before

    reading, working = Outage("reading"), Outage("working")
    reading.tell("reading fails", "mend it")
    working.tell("working fails", "mend it")
    working.tell("working fails otherwise", "mend it")
    assert new() == {"reading fails", "working fails otherwise"}
    reading.over()
    assert new() == {"working fails otherwise"}
    del working
    assert not new()


def test_the_next_one_begins_anew(told: pytest.LogCaptureFixture, clock: Clock) -> None:
    outage = Outage("working")
    for _ in range(2):
        outage.tell("it fails", "mend it")
        outage.over()
        clock.now += 100
    assert [record.levelname for record in told.records] == ["WARNING", "INFO"] * 2
