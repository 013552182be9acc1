"""The strategies keep the publisher's contract, and reach the cases that they are there for."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import chain, combinations

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from tests.oracle import broken_rules, current_claims, tables
from tests.strategies import (
    PAID,
    SUBMITTED,
    EventSpec,
    claims_histories,
    deliveries,
    to_message,
    to_plain,
    to_row,
)

few = settings(max_examples=60, deadline=None, database=None, derandomize=True)
searching = settings(
    max_examples=3000, phases=[Phase.generate], database=None, derandomize=True, deadline=None
)
History = list[EventSpec]


@few
@given(claims_histories())
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
    events = data.draw(claims_histories())
    batches = data.draw(deliveries(events))
    delivered = list(chain.from_iterable(batches))
    assert all(batches)
    assert len(delivered) >= len(events)
    assert {spec.identity for spec in delivered} == {spec.identity for spec in events}
    assert tables(map(to_plain, delivered)) == tables(map(to_plain, events))


@few
@given(claims_histories())
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
        assert {name: row[name] for name in claim} == claim
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
    return {spec.data.get(name) for spec in events}


def most_codes(events: History) -> int:
    months = Counter(
        (key.provider_id, key.period_start)
        for key in tables(map(to_plain, events)).analytics_cache
        if key.metric_key == "revenue_by_hsc"
    )
    return max(months.values(), default=0)


def some_row_of_several_claims(events: History) -> bool:
    cache = tables(map(to_plain, events)).analytics_cache
    return any(
        value["count"] > 2 for key, value in cache.items() if key.metric_key == "revenue_by_ba"
    )


def corrected_back(events: History) -> bool:
    return any((a.event_type, b.event_type) == (PAID, SUBMITTED) for a, b in pairs(events))


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


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(lambda events: not events, id="nothing at all"),
        pytest.param(corrected_back, id="paid and then submitted again"),
        pytest.param(moved_to_another_month, id="moved to another month"),
        pytest.param(same_content_at_a_higher_version, id="a correction that changes nothing"),
        pytest.param(lambda events: most_codes(events) > 10, id="more codes than are listed"),
        pytest.param(some_row_of_several_claims, id="claims that share a row"),
        pytest.param(
            lambda events: 2**63 - 1 in values(events, "claim_version"), id="last version"
        ),
        pytest.param(lambda events: "99999999.99" in values(events, "assessed_fee"), id="most"),
        pytest.param(lambda events: "0" in values(events, "assessed_fee"), id="paid at zero"),
        pytest.param(lambda events: "12.50" in values(events, "rrnp_premium"), id="premium"),
        *(
            pytest.param(moved(name), id=f"another {name}")
            for name in ("claim_type", "ba_number", "location_id", "hsc_code", "form_id")
        ),
    ],
)
def test_the_strategy_reaches(case: Callable[[History], bool]) -> None:
    assert case(find(claims_histories(), case, settings=searching))
