"""The platform's state machine: what may follow what, and what the events say of it."""

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from service.local.simulator import PAYMENTS, Platform
from tests.unit.service.local.simulator.reading import (
    NOW,
    TYPES,
    ReadEvent,
    lives_of,
    read,
    simulator,
)

UNSENT = {"DRAFT", "VALIDATED", "QUEUED"}
# The states that may follow each, and those that a claim may begin with.
FIRST = {"DRAFT", "SUBMITTED"}
MAY_FOLLOW = {
    "DRAFT": {"DRAFT", "VALIDATED", "SUBMITTED", "EXPIRED", "WITHDRAWN", "WRITTEN_OFF"},
    "VALIDATED": {"DRAFT", "QUEUED", "SUBMITTED", "EXPIRED"},
    "QUEUED": {"SUBMITTED", "WITHDRAWN"},
    "SUBMITTED": {"SUBMITTED", "ASSESSED", "PAID", "REJECTED", "WITHDRAWN"},
    "ASSESSED": {"PAID", "REJECTED"},
    "PAID": {"ADJUSTED"},
    "ADJUSTED": {"ADJUSTED"},
    "REJECTED": {"DRAFT", "SUBMITTED", "WRITTEN_OFF", "EXPIRED"},
    "WRITTEN_OFF": set(),
    "EXPIRED": set(),
    "WITHDRAWN": set(),
}


@pytest.fixture(scope="module")
def events() -> list[ReadEvent]:
    """Of a platform with many drafts and a coach that has much to say."""
    source = simulator(providers=20, course=Platform(drafted=0.2, coached=0.3), months=18)
    return [read(message) for message in source.history(8_000)]


@pytest.fixture(scope="module")
def lives(events: list[ReadEvent]) -> list[list[ReadEvent]]:
    return lives_of(events)


def day(event: ReadEvent, field: str) -> date | None:
    text = event.data.get(field)
    return date.fromisoformat(text) if text else None


def with_rejection(lives: list[list[ReadEvent]]) -> list[list[ReadEvent]]:
    """What follows each claim's first rejection, the rejection included."""
    states = [[event.state for event in life] for life in lives]
    return [
        life[names.index("REJECTED") :]
        for life, names in zip(lives, states, strict=True)
        if "REJECTED" in names
    ]


def test_every_topic_has_its_events(events: list[ReadEvent]) -> None:
    assert {event.topic_key for event in events} == set(TYPES)


def test_the_usual_mix_is_that_of_the_benchmark() -> None:
    source = simulator(months=18, providers=20)
    for _ in source.history(8_000):
        pass
    total, counts = source.tally.events, source.tally.by_topic
    share = {topic: counts[topic] / total for topic in TYPES}
    assert 0.42 < share["claim-submitted"] < 0.48
    assert 0.32 < share["claim-paid"] < 0.38
    assert 0.06 < share["claim-assessed"] < 0.10
    assert 0.05 < share["claim-rejected"] < 0.09
    assert 0.03 < 1 - sum(sorted(share.values())[-5:]) + share["ai-suggestion"] < 0.07


def test_claims_take_no_other_way_than_the_platform_allows(lives: list[list[ReadEvent]]) -> None:
    taken = set()
    for life in lives:
        states = [event.state for event in life]
        assert states[0] in FIRST
        taken |= set(pairwise(states))
    assert taken <= {(one, other) for one, others in MAY_FOLLOW.items() for other in others}
    assert len(taken) > 20


def test_with_submissions_and_payments_alone_nothing_else_happens() -> None:
    source = simulator(course=PAYMENTS)
    events = [read(message) for message in source.history(1_000)]
    assert {event.topic_key for event in events} == {"claim-submitted", "claim-paid"}
    for life in lives_of(events):
        topics = [event.topic_key for event in life]
        assert topics == sorted(topics, reverse=True)


def test_some_drafts_are_unfinished_and_none_that_is_sent(lives: list[list[ReadEvent]]) -> None:
    drafts = [event for life in lives for event in life if event.state == "DRAFT"]
    unfinished = [event for event in drafts if event.data["submitted_fee"] is None]
    assert 0.1 < len(unfinished) / len(drafts) < 0.5
    assert any(event.data["form_id"] is None for event in unfinished if is_wcb(event))
    assert any(event.data["hsc_code"] is None for event in unfinished if not is_wcb(event))
    assert all(
        event.data["submitted_fee"]
        for life in lives
        for event in life
        if event.state in {"VALIDATED", "QUEUED", "SUBMITTED", "PAID", "REJECTED"}
    )


def is_wcb(event: ReadEvent) -> bool:
    return bool(event.data["claim_type"] == "WCB")


def test_an_unfinished_draft_can_expire(lives: list[list[ReadEvent]]) -> None:
    ends = [life[-1] for life in lives if life[-1].state == "EXPIRED"]
    assert any(end.data["submitted_fee"] is None for end in ends)


def test_a_saved_claim_says_when_it_was_created(lives: list[list[ReadEvent]]) -> None:
    for life in lives:
        created = {event.data["created_at"] for event in life if "created_at" in event.data}
        assert created in (set(), {life[0].at.isoformat(timespec="milliseconds")})


def test_a_form_that_was_a_draft_has_its_tier_when_it_is_sent(
    lives: list[list[ReadEvent]],
) -> None:
    sent = [
        other
        for life in lives
        for one, other in pairwise(life)
        if is_wcb(one) and one.state in UNSENT and one.data["timing_tier"] is None
        if other.state == "SUBMITTED" and other.data["form_id"] in {"C050E", "C151"}
    ]
    assert len(sent) > 3
    for event in sent:
        late = (event.at.date() - event.served).days > 7
        assert event.data["timing_tier"] in ({"LATE"} if late else {"ON_TIME", "LATE"})


def test_claims_expire_after_their_deadline_and_are_sent_before(
    lives: list[list[ReadEvent]],
) -> None:
    expired = 0
    for life in lives:
        for one, other in pairwise(life):
            deadline = (
                day(one, "submission_deadline") if "submission_deadline" in one.data else None
            )
            if other.state == "EXPIRED":
                expired += 1
                assert deadline is not None
                assert deadline < other.at.date() <= deadline + timedelta(days=4)
            elif other.state == "SUBMITTED" and deadline:
                assert other.at.date() <= deadline
    assert expired > 20


def test_a_refused_claim_may_be_sent_again_for_ninety_days(lives: list[list[ReadEvent]]) -> None:
    for refused, *_ in with_rejection(lives):
        deadline = day(refused, "submission_deadline")
        assert deadline == (None if is_wcb(refused) else refused.at.date() + timedelta(days=90))


def test_rejections_name_short_codes_and_wcb_now_and_then_none(
    lives: list[list[ReadEvent]],
) -> None:
    refused = [event for life in lives for event in life if event.state == "REJECTED"]
    codes = [event.data["explanatory_codes"] for event in refused]
    assert all(1 <= len(code) <= 3 for each in codes for code in each)
    assert any(len(each) > 1 for each in codes)
    assert any(len(each) > len(set(each)) for each in codes)
    assert all(event.data["explanatory_codes"] for event in refused if not is_wcb(event))
    assert any(not event.data["explanatory_codes"] for event in refused if is_wcb(event))


def test_what_was_rejected_goes_every_way_on(lives: list[list[ReadEvent]]) -> None:
    after = with_rejection(lives)
    ends = Counter(life[-1].state for life in after)
    assert {"PAID", "REJECTED", "WRITTEN_OFF", "EXPIRED"} <= set(ends)
    resubmitted = [life for life in after if any(e.state == "SUBMITTED" for e in life)]
    assert 0.3 < len(resubmitted) / len(after) < 0.8
    edited = [life for life in after if life[1:] and life[1].state == "DRAFT"]
    assert any(event.state == "SUBMITTED" for life in edited for event in life)
    paid = [life for life in resubmitted if any(e.state == "PAID" for e in life)]
    assert len(paid) > len(resubmitted) / 2


def test_what_was_assessed_is_what_is_paid(lives: list[list[ReadEvent]]) -> None:
    pairs = [(a, b) for life in lives for a, b in pairwise(life)]
    paid = [(a, b) for a, b in pairs if (a.state, b.state) == ("ASSESSED", "PAID")]
    assert len(paid) > 50
    assert all(a.data["assessed_fee"] == b.data["assessed_fee"] for a, b in paid)


def test_an_assessment_below_the_fee_says_why(events: list[ReadEvent]) -> None:
    for event in events:
        if event.state == "ASSESSED":
            in_full = event.data["assessed_fee"] == event.data["submitted_fee"]
            assert bool(event.data["explanatory_codes"]) != in_full


def test_an_adjustment_raises_or_lowers_what_was_paid(lives: list[list[ReadEvent]]) -> None:
    changes = {
        Decimal(b.data["assessed_fee"]) > Decimal(a.data["assessed_fee"])
        for life in lives
        for a, b in pairwise(life)
        if b.state == "ADJUSTED"
    }
    assert changes == {True, False}


@pytest.fixture(scope="module")
def coached(events: list[ReadEvent]) -> list[dict[str, Any]]:
    return [event.data for event in events if not event.of_a_claim]


def test_every_suggestion_begins_with_what_the_coach_says(coached: list[dict[str, Any]]) -> None:
    said: dict[str, list[str]] = {}
    for data in coached:
        said.setdefault(data["suggestion_id"], []).append(data["event_type"])
    followed = set()
    for words in said.values():
        assert words[0] == "GENERATED"
        followed |= set(pairwise(word for word in words if word != "REJECTION_FEEDBACK"))
    assert followed == {
        ("GENERATED", "ACCEPTED"), ("GENERATED", "DISMISSED"),
        ("DISMISSED", "SUPPRESSED"), ("SUPPRESSED", "UNSUPPRESSED"),
    }  # fmt: skip
    assert any("REJECTION_FEEDBACK" in words for words in said.values())


def test_the_events_of_a_suggestion_say_the_same_of_it(coached: list[dict[str, Any]]) -> None:
    same = ("claim_id", "provider_id", "rule_id", "rule_name", "category", "tier", "revenue_impact")
    contents = {tuple(d[name] for name in ("suggestion_id", *same)) for d in coached}
    assert len(contents) == len({data["suggestion_id"] for data in coached})


def test_a_physician_meets_a_few_rules_each_with_one_name(coached: list[dict[str, Any]]) -> None:
    names: dict[str, set[str]] = {}
    met: dict[str, set[str]] = {}
    for data in coached:
        if data["rule_id"]:
            names.setdefault(data["rule_id"], set()).add(data["rule_name"])
            met.setdefault(data["provider_id"], set()).add(data["rule_id"])
    assert all(len(each) == 1 for each in names.values())
    assert all(2 <= len(each) <= 4 for each in met.values())
    assert any(data["rule_id"] is None for data in coached)
    assert any(data["revenue_impact"] is None for data in coached)


def test_the_coach_is_dated_by_its_event(events: list[ReadEvent]) -> None:
    for event in events:
        if not event.of_a_claim:
            assert datetime.fromisoformat(event.data["created_at"]) == event.at < NOW
