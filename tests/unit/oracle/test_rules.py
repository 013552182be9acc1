"""The plain checks of the event rules: they must find what is wrong, and only that."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.oracle import broken_rules
from tests.unit.oracle.events import (
    adjusted,
    assessed,
    ended,
    paid,
    rejected,
    saved,
    submitted,
    suggestion,
    wcb,
)

NOW = datetime(2025, 10, 20, tzinfo=UTC)


UNFINISHED: dict[str, Any] = {"submitted_fee": None, "ba_number": None, "hsc_code": None}
GOOD = [
    submitted(1), paid(1), submitted(1, **wcb()), saved(1), assessed(1), rejected(1), adjusted(1),
    ended("written-off", 1), ended("expired", 1), ended("withdrawn", 1), suggestion(1),
    rejected(1, 2, *["A"] * 50), assessed(1, explanatory_codes=["0123456789"]),
    rejected(1, explanatory_codes=None), adjusted(1, rrnp_premium=None, assessed_fee="0"),
    saved(1, **UNFINISHED), saved(1, **wcb(form_id=None)), ended("expired", 1, **UNFINISHED),
    ended("withdrawn", 1, **UNFINISHED), ended("written-off", 1, **UNFINISHED),
    suggestion(1, rule_id=None, rule_name=None, revenue_impact=None),
    suggestion(1, rule_name="n" * 200, category="c" * 50, tier=3),
]  # fmt: skip


@pytest.mark.parametrize("event", GOOD, ids=lambda event: str(event["type"]))
def test_a_good_event_breaks_no_rule(event: Any) -> None:
    assert broken_rules(event["type"], event["data"], NOW) == []


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({"claim_id": "1"}, "claim_id is bad"),
        ({"claim_version": True}, "claim_version is bad"),
        ({"claim_version": 2**63}, "claim_version is bad"),
        ({"date_of_service": "2025-02-29"}, "date_of_service is bad"),
        ({"date_of_service": "20251015"}, "date_of_service is bad"),
        ({"date_of_service": "1999-12-31"}, "date_of_service is out of range"),
        ({"date_of_service": "2025-10-22"}, "date_of_service is out of range"),
        ({"patient_phn": "12345678"}, "patient_phn is bad"),
        ({"hsc_code": ""}, "hsc_code is bad"),
        ({"hsc_code": "a\0"}, "hsc_code is bad"),
        ({"hsc_code": "\ud800"}, "hsc_code is bad"),
        ({"hsc_code": None}, "hsc_code is required for AHCIP"),
        ({"ba_number": None}, "ba_number is required for AHCIP"),
        ({"form_id": "C151"}, "form_id is null for AHCIP"),
        ({"timing_tier": "LATE"}, "timing_tier is null for AHCIP"),
        ({"modifiers": ["A", "B", "C", "D"]}, "modifiers is bad"),
        ({"modifiers": ["TOOLONG"]}, "modifiers is bad"),
        ({"submitted_fee": "123456789"}, "submitted_fee is bad"),
        ({"submitted_fee": "1.005"}, "submitted_fee is bad"),
        ({"submitted_fee": "٣"}, "submitted_fee is bad"),
        ({"payment_date": "2025-10-14"}, "payment_date is before date_of_service"),
        (wcb(form_id=None), "form_id is required for WCB"),
        (wcb(form_id="C999"), "form_id is bad"),
    ],
)
def test_a_broken_rule_is_named(changed: dict[str, Any], broken: str) -> None:
    event = paid(1, **changed)
    assert broken_rules(event["type"], event["data"], NOW) == [broken]


@pytest.mark.parametrize(
    ("event", "broken"),
    [
        (saved(1, 1, "SUBMITTED"), "stage is bad"),
        (saved(1, created_at="2025-10-15"), "created_at is bad"),
        (saved(1, submitted_fee="-1"), "submitted_fee is bad"),
        (saved(1, form_id="C151"), "form_id is null for AHCIP"),
        (saved(1, timing_tier="LATE", ba_number=None), "timing_tier is null for AHCIP"),
        (ended("expired", 1, date_of_service="1999-12-31"), "date_of_service is out of range"),
        (assessed(1, assessed_fee=None), "assessed_fee is bad"),
        (assessed(1, explanatory_codes=["A"] * 51), "explanatory_codes is bad"),
        (rejected(1, 2, "12345678901"), "explanatory_codes is bad"),
        (rejected(1, 2, "A", ""), "explanatory_codes is bad"),
        (rejected(1, explanatory_codes=[1]), "explanatory_codes is bad"),
        (rejected(1, submitted_fee=None), "submitted_fee is bad"),
        (rejected(1, hsc_code=None), "hsc_code is required for AHCIP"),
        (adjusted(1, payment_date="2025-10-14"), "payment_date is before date_of_service"),
        (adjusted(1, **wcb(form_id=None)), "form_id is required for WCB"),
        (suggestion(1, "LEARNED"), "event_type is bad"),
        (suggestion(1, tier=4), "tier is bad"),
        (suggestion(1, tier=True), "tier is bad"),
        (suggestion(1, category=""), "category is bad"),
        (suggestion(1, category=None), "category is bad"),
        (suggestion(1, category="c" * 51), "category is bad"),
        (suggestion(1, rule_name="n" * 201), "rule_name is bad"),
        (suggestion(1, revenue_impact="-1.00"), "revenue_impact is bad"),
        (suggestion(1, claim_id=None), "claim_id is bad"),
    ],
)
def test_a_broken_rule_of_the_other_events_is_named(event: Any, broken: str) -> None:
    assert broken_rules(event["type"], event["data"], NOW) == [broken]


@pytest.mark.parametrize("time", ["2025-10-16", "2025-10-16T10:00:00", "1999-12-31T23:00:00Z"])
def test_a_time_needs_an_offset_and_a_year_from_2000(time: str) -> None:
    event = submitted(1, submitted_at=time)
    assert broken_rules(event["type"], event["data"], NOW) == ["submitted_at is bad"]


def test_a_missing_field_is_named() -> None:
    event = paid(1)
    data = {name: value for name, value in event["data"].items() if name != "payment_date"}
    assert broken_rules(event["type"], data, NOW) == ["payment_date is missing"]


@pytest.mark.parametrize("event", GOOD, ids=lambda event: str(event["type"]))
def test_what_may_be_null_may_be_absent(event: Any) -> None:
    data = {name: value for name, value in event["data"].items() if value is not None}
    assert broken_rules(event["type"], data, NOW) == []


def test_the_next_version_of_a_type_is_unknown() -> None:
    data = submitted(1)["data"]
    broken = broken_rules("ca.meritum.claim.submitted.v2", data, NOW)
    assert broken == ["unknown type ca.meritum.claim.submitted.v2"]
