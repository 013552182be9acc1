"""The plain checks of the event rules: they must find what is wrong, and only that."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.oracle import broken_rules
from tests.unit.oracle.events import paid, submitted, wcb

NOW = datetime(2025, 10, 20, tzinfo=UTC)


@pytest.mark.parametrize("event", [submitted(1), paid(1), submitted(1, **wcb())])
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


@pytest.mark.parametrize("time", ["2025-10-16", "2025-10-16T10:00:00", "1999-12-31T23:00:00Z"])
def test_a_time_needs_an_offset_and_a_year_from_2000(time: str) -> None:
    event = submitted(1, submitted_at=time)
    assert broken_rules(event["type"], event["data"], NOW) == ["submitted_at is bad"]


def test_a_missing_field_is_named() -> None:
    event = paid(1)
    data = {name: value for name, value in event["data"].items() if name != "payment_date"}
    assert broken_rules(event["type"], data, NOW) == ["payment_date is missing"]


def test_the_next_version_of_a_type_is_unknown() -> None:
    data = submitted(1)["data"]
    broken = broken_rules("ca.meritum.claim.submitted.v2", data, NOW)
    assert broken == ["unknown type ca.meritum.claim.submitted.v2"]
