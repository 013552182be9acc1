"""What fails for long is tried and told less often, then louder; and that it is over."""

import logging
import time

import pytest

from service.reports.backoff import Backoff


def test_ten_minutes_of_failing_are_some_lines_and_not_a_thousand(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    caplog.set_level(logging.INFO)
    backoff = Backoff("publishing announcements")
    while now < 1_600:
        now += backoff.failed(RuntimeError("the topic is missing"))
        assert not backoff.pausing
    first, last = caplog.records[0], caplog.records[-1]
    assert len(caplog.records) < 25
    assert (first.levelname, last.levelname) == ("WARNING", "ERROR")
    assert first.message == (
        "failed while publishing announcements, trying again: the topic is missing"
    )
    assert "This has lasted for 5" in last.message
    backoff.over()
    backoff.over()
    recovered = [record.message for record in caplog.records if "recovered" in record.message]
    assert recovered == [f"recovered after {now - 1_000:.1f} s: publishing announcements"]
