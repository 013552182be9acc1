"""What an operator may ask to be read again, and what is said of what makes no sense."""

from dataclasses import replace

import pytest

from consumers.replay.ranges import Bound, InPartition
from service.operations.replaying.request import (
    BEGINNING,
    NOW,
    ReplayRequest,
    RequestWrong,
    bound_of,
    check,
    topics_named,
)
from service.settings import Settings

ALL = ReplayRequest(["claim-paid", "claim-saved"], False, None, None)
ONE = replace(ALL, topics=["claim-paid"], named=True)
SETTINGS = Settings.model_validate({"topic_claim_paid": "paid-here"})


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("beginning", None),
        ("3:1200", InPartition(3, 1200)),
        ("1970-01-01T00:00:02Z", 2000),
        ("1970-01-01T00:00:02.5-07:00", 7 * 3_600_000 + 2500),
    ],
)
def test_bounds_are_words_times_and_places(text: str, bound: Bound) -> None:
    assert bound_of(text, BEGINNING) == bound


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("2026-03-01T00:00:00", "has no offset from UTC"),
        ("2026-03-01", "has no offset from UTC"),
        ("now", "neither beginning, nor a time"),
        ("3:", "neither beginning, nor a time"),
        ("-1:5", "neither beginning, nor a time"),
        ("yesterday", "neither beginning, nor a time"),
    ],
)
def test_other_bounds_are_named(text: str, says: str) -> None:
    with pytest.raises(RequestWrong, match=says):
        bound_of(text, BEGINNING)


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (replace(ALL, begin=2000, end=2000), "nothing between them"),
        (replace(ONE, begin=InPartition(1, 9), end=InPartition(1, 9)), "nothing between them"),
        (replace(ONE, begin=InPartition(1, 9), end=InPartition(2, 9)), "different partitions"),
        (replace(ALL, begin=InPartition(1, 9)), "a place in one topic"),
        (replace(ALL, rate=0.0), "more than 0"),
        (replace(ALL, rate=float("nan")), "more than 0"),
        (replace(ALL, identity=True), "goes with --redecode"),
    ],
)
def test_what_makes_no_sense_is_named(request_: ReplayRequest, says: str) -> None:
    with pytest.raises(RequestWrong, match=says):
        check(request_)


def test_topics_are_named_by_default_or_as_the_settings_name_them() -> None:
    assert topics_named(SETTINGS, ["paid-here", "claim-paid", "ai-suggestion"]) == [
        "claim-paid",
        "ai-suggestion",
    ]
    assert len(topics_named(SETTINGS, [])) == 10
    assert bound_of("now", NOW) is None


@pytest.mark.parametrize("topic", ["report-request", "provider-updated", "claim-payed"])
def test_a_topic_that_cannot_be_replayed_is_named(topic: str) -> None:
    with pytest.raises(RequestWrong, match=f"{topic} is no topic that can be replayed"):
        topics_named(SETTINGS, [topic])
