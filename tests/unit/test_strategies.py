"""The strategies keep the publisher's contract, and reach the cases that they are there for."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import chain, combinations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.oracle import broken_rules, current_claims, tables
from tests.strategies import (
    ADJUSTED,
    EXPIRED,
    PAID,
    REJECTED,
    SAVED,
    SUBMITTED,
    WITHDRAWN,
    WRITTEN_OFF,
    EventSpec,
    claims_histories,
    deliveries,
    suggestion_histories,
    to_message,
    to_plain,
    to_row,
    to_suggestion_row,
)
from tests.strategies.specs import STATES

few = settings(max_examples=40, deadline=None, database=None, derandomize=True)
History = list[EventSpec]
FACTS = {"first_sent_version", "first_rejected_version", "last_sent_version"}


@few
@given(claims_histories() | suggestion_histories())
def test_every_event_keeps_the_rules(events: History) -> None:
    for spec in events:
        time = datetime.fromisoformat(spec.ce_time)
        assert broken_rules(spec.event_type, spec.data, time) == []


@few
@given(claims_histories())
def test_a_history_has_one_content_a_version_and_one_provider_a_claim(events: History) -> None:
    assert max(Counter(spec.identity for spec in events).values(), default=1) == 1
    owners = {(spec.data["claim_id"], spec.data["provider_id"]) for spec in events}
    assert len(owners) == len({claim_id for claim_id, _ in owners})


@few
@given(st.data())
def test_a_delivery_brings_every_event_and_nothing_else(data: st.DataObject) -> None:
    events = data.draw(claims_histories() | suggestion_histories())
    batches = data.draw(deliveries(events))
    delivered = list(chain.from_iterable(batches))
    assert all(batches)
    assert len(delivered) >= len(events)
    assert {spec.identity for spec in delivered} == {spec.identity for spec in events}
    assert tables(map(to_plain, delivered)) == tables(map(to_plain, events))


@few
@given(claims_histories() | suggestion_histories())
def test_a_message_says_what_the_event_says(events: History) -> None:
    for spec in events:
        headers, value = to_message(spec)
        assert json.loads(value) == spec.data
        assert dict(headers)["ce_type"].decode() == spec.event_type
        assert dict(headers)["ce_time"].decode() == spec.ce_time


@few
@given(claims_histories())
def test_a_row_says_what_the_oracle_reads_from_the_event(events: History) -> None:
    for offset, spec in enumerate(events):
        row = to_row(spec, "topic", 3, offset)._asdict()
        (claim,) = current_claims([to_plain(spec)]).values()
        said = {name: value for name, value in claim.items() if name not in FACTS}
        assert {name: row[name] for name in said} == said
        assert row["occurred_at"] == datetime.fromisoformat(spec.ce_time)
        assert (row["source_topic"], row["source_partition"]) == ("topic", 3)
        assert row["source_offset"] == offset


@few
@given(suggestion_histories())
def test_a_row_of_the_coach_says_what_the_oracle_reads_from_the_event(events: History) -> None:
    for offset, spec in enumerate(events):
        row = to_suggestion_row(spec, "topic", 3, offset)._asdict()
        (said,) = tables([to_plain(spec)]).ai_suggestions.values()
        assert {name: row[name] for name in said} == said
        assert row["occurred_at"] == datetime.fromisoformat(spec.ce_time)
        assert (row["source_topic"], row["source_partition"]) == ("topic", 3)
        assert row["source_offset"] == offset


def pairs(events: History) -> list[tuple[EventSpec, EventSpec]]:
    """An earlier and a later event of the same claim."""
    ordered = sorted(events, key=lambda spec: spec.identity)
    return [
        (one, other)
        for one, other in combinations(ordered, 2)
        if one.data["claim_id"] == other.data["claim_id"]
    ]


def values(events: History, name: str) -> set[object]:
    return {spec.data[name] for spec in events if name in spec.data}


def most_rows_of_a_month(events: History, metric_key: str) -> int:
    months = Counter(
        (key.provider_id, key.period_start)
        for key in tables(map(to_plain, events)).analytics_cache
        if key.metric_key == metric_key
    )
    return max(months.values(), default=0)


def some_row_of_several_claims(events: History) -> bool:
    cache = tables(map(to_plain, events)).analytics_cache
    return any(
        value["count"] > 2 for key, value in cache.items() if key.metric_key == "revenue_by_ba"
    )


def followed(one: str, other: str) -> Callable[[History], bool]:
    return lambda events: any(
        (a.event_type, b.event_type) == (one, other) for a, b in pairs(events)
    )


def only(event_type: str) -> Callable[[History], bool]:
    """A claim that has events of this type and none that was sent."""

    def reached(events: History) -> bool:
        claims = current_claims(map(to_plain, events)).values()
        states = {claim["state"] for claim in claims if claim["first_sent_version"] is None}
        return STATES[event_type] in states

    return reached


def moved(name: str) -> Callable[[History], bool]:
    return lambda events: any(a.data[name] != b.data[name] for a, b in pairs(events))


def moved_to_another_month(events: History) -> bool:
    return any(
        a.data["date_of_service"][:7] != b.data["date_of_service"][:7] for a, b in pairs(events)
    )


def same_content_at_a_higher_version(events: History) -> bool:
    def content(spec: EventSpec) -> dict[str, object]:
        return spec.data | {"claim_version": 0}

    return any(content(a) == content(b) for a, b in pairs(events))


def the_fee_came_and_went(events: History) -> bool:
    return any(
        a.data["submitted_fee"] is not None and b.data["submitted_fee"] is None
        for a, b in pairs(events)
    )


def equal_codes(events: History) -> bool:
    lists = [spec.data.get("explanatory_codes", []) for spec in events]
    return any(len(set(codes)) < len(codes) for codes in lists)


def has(name: str, value: object) -> Callable[[History], bool]:
    return lambda events: value in values(events, name)


def figures(events: History, metric_key: str, name: str) -> set[object]:
    cache = tables(map(to_plain, events)).analytics_cache
    return {value[name] for key, value in cache.items() if key.metric_key == metric_key}


def funnel_shows(name: str) -> Callable[[History], bool]:
    return lambda events: bool(figures(events, "rejection_resolution_funnel", name) - {0})


def rules_listed(metric_key: str) -> Callable[[History], int]:
    def most(events: History) -> int:
        cache = tables(map(to_plain, events)).analytics_cache
        lists = [value["rules"] for key, value in cache.items() if key.metric_key == metric_key]
        return max(map(len, lists), default=0)

    return most


def sample(histories: st.SearchStrategy[History], size: int) -> list[History]:
    """What the strategy gives, generated once for all cases."""
    found: list[History] = []

    @settings(
        max_examples=size,
        phases=[Phase.generate],
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],  # the machine is shared
    )
    @given(histories)
    def collect(events: History) -> None:
        found.append(events)

    collect()
    return found


@pytest.fixture(scope="module")
def histories() -> list[History]:
    return sample(claims_histories(), 200)


@pytest.fixture(scope="module")
def suggestions() -> list[History]:
    return sample(suggestion_histories(), 100)


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(lambda events: not events, id="nothing at all"),
        pytest.param(followed(PAID, SUBMITTED), id="paid and then submitted again"),
        pytest.param(followed(REJECTED, SAVED), id="edited after a rejection"),
        pytest.param(followed(REJECTED, WRITTEN_OFF), id="given up after a rejection"),
        pytest.param(followed(PAID, ADJUSTED), id="adjusted"),
        pytest.param(followed(SUBMITTED, WITHDRAWN), id="withdrawn"),
        pytest.param(only(EXPIRED), id="a draft that expired"),
        pytest.param(only(WRITTEN_OFF), id="a draft that was given up"),
        pytest.param(funnel_shows("resubmitted"), id="resubmitted"),
        pytest.param(funnel_shows("paid_on_resubmission"), id="paid on resubmission"),
        pytest.param(funnel_shows("written_off"), id="written off after a rejection"),
        pytest.param(moved_to_another_month, id="moved to another month"),
        pytest.param(same_content_at_a_higher_version, id="a correction that changes nothing"),
        pytest.param(
            lambda events: most_rows_of_a_month(events, "revenue_by_hsc") > 10,
            id="more codes than are listed",
        ),
        pytest.param(
            lambda events: most_rows_of_a_month(events, "rejection_by_code") > 40,
            id="as many explanatory codes as a claim may have",
        ),
        pytest.param(some_row_of_several_claims, id="claims that share a row"),
        pytest.param(the_fee_came_and_went, id="a draft that lost its fee"),
        pytest.param(equal_codes, id="equal codes of one claim"),
        pytest.param(has("claim_version", 2**63 - 1), id="last version"),
        pytest.param(has("assessed_fee", "99999999.99"), id="most"),
        pytest.param(has("assessed_fee", "0"), id="paid at zero"),
        pytest.param(has("rrnp_premium", "12.50"), id="premium"),
        pytest.param(
            has("created_at", "2023-11-05T01:30:00-06:00"), id="the hour that comes twice"
        ),
        pytest.param(has("created_at", "2024-02-29T23:59:59-07:00"), id="created on a leap day"),
        pytest.param(has("submission_deadline", "2024-02-29"), id="a deadline on a leap day"),
        *(
            pytest.param(moved(name), id=f"another {name}")
            for name in ("claim_type", "ba_number", "location_id", "hsc_code", "form_id")
        ),
    ],
)
def test_the_strategy_reaches(case: Callable[[History], bool], histories: list[History]) -> None:
    assert any(map(case, histories))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(lambda events: not events, id="nothing at all"),
        pytest.param(
            lambda events: rules_listed("ai_coach_top_accepted")(events) == 5,
            id="more rules than are listed",
        ),
        pytest.param(
            lambda events: rules_listed("ai_coach_suppressed")(events) > 1, id="two suppressed"
        ),
        pytest.param(has("rule_id", None), id="an event without a rule"),
        pytest.param(has("revenue_impact", None), id="an event without money"),
        pytest.param(
            lambda events: len(figures(events, "ai_coach_acceptance_rate", "accepted")) > 1,
            id="months with other figures",
        ),
    ],
)
def test_the_coachs_strategy_reaches(
    case: Callable[[History], bool], suggestions: list[History]
) -> None:
    assert any(map(case, suggestions))
