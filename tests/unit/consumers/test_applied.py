"""What batches are told as: each at debug level, their sums at info, and none is left out."""

import logging
import time

import pytest

from consumers.engine import applied
from consumers.engine.applied import AppliedBatches
from tests.harness.waiting import until

LABELS = {"consumer": "claims", "lane": 1}


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def _lines(told: pytest.LogCaptureFixture, message: str) -> list[dict[str, object]]:
    return [vars(record) for record in told.records if record.message == message]


async def test_the_first_is_told_at_once_and_what_follows_as_one_sum(
    told: pytest.LogCaptureFixture,
) -> None:
    batches = AppliedBatches(LABELS)
    for messages, offset in ((5, 5), (3, 8), (4, 12)):
        batches.add(
            {"messages": messages, "milliseconds": 1.5}, {f"paid-{offset % 2}": offset}, None
        )
    batches.flush()
    batches.flush()
    assert [line["messages"] for line in _lines(told, "batch applied")] == [5, 3, 4]
    first, rest = _lines(told, "batches applied")
    assert (first["batches"], first["messages"], first["offsets"]) == (1, 5, {"paid-1": 5})
    assert (rest["batches"], rest["messages"], rest["milliseconds"]) == (2, 7, 3.0)
    assert rest["offsets"] == {"paid-0": 12}
    assert all(line["consumer"] == "claims" and line["lane"] == 1 for line in (first, rest))


async def test_an_idle_lane_does_not_keep_its_last_batches_to_itself(
    told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applied, "SUM_SECONDS", 0.05)
    batches = AppliedBatches(LABELS)
    batches.add({"messages": 1}, {}, None)
    batches.add({"messages": 2}, {}, None)
    await until(lambda: len(_lines(told, "batches applied")) == 2, "the second sum")


async def test_it_says_how_old_the_newest_message_was(told: pytest.LogCaptureFixture) -> None:
    batches = AppliedBatches(LABELS)
    batches.add({}, {}, int((time.time() - 90) * 1000))
    [line] = _lines(told, "batches applied")
    age = line["newest_age_seconds"]
    assert isinstance(age, float)
    assert 90 <= age < 95
