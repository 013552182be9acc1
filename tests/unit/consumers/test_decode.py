import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.refusal import DeadLetterReason
from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from repositories.claims.rows import ClaimEventRow
from repositories.vocabulary import ClaimState, ClaimType, FormId, TimingTier
from tests.unit.consumers.records import (
    AHCIP_PAID,
    AHCIP_SUBMITTED,
    PAID,
    SUBMITTED,
    WCB_PAID,
    WCB_SUBMITTED,
    accepted,
    binary,
    refused,
)

Data = dict[str, Any]


def _refusal_of(data: Data, contract: ClaimContract, **attributes: str) -> str:
    """The fields that are named, once the reason was found to be right."""
    letter = refused(binary(json.dumps(data).encode(), contract, **attributes), contract)
    assert letter.reason == DeadLetterReason.INVALID_FIELD
    return letter.detail.partition(":")[0]


def _row_of(data: Data, contract: ClaimContract = SUBMITTED, **attributes: str) -> ClaimEventRow:
    return accepted(binary(json.dumps(data).encode(), contract, **attributes), contract)


def test_a_submitted_claim_becomes_a_row_with_no_money_yet() -> None:
    assert _row_of(AHCIP_SUBMITTED) == ClaimEventRow(
        claim_id=UUID("5a17c0de-0000-4000-8000-000000000001"),
        claim_version=1,
        provider_id=UUID("7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01"),
        state=ClaimState.SUBMITTED,
        claim_type=ClaimType.AHCIP,
        date_of_service=date(2026, 1, 15),
        patient_phn="123456780",
        ba_number="1234567",
        location_id=UUID("0f4e2d1c-9b8a-4765-8321-0fedcba98703"),
        hsc_code="13.99 BA",
        modifiers=["CMGP01", "AFTER"],
        form_id=None,
        timing_tier=None,
        submitted_fee=Decimal("25.09"),
        submitted_at=datetime(2026, 1, 16, 16, 30, 0, 500_000, tzinfo=UTC),
        submission_deadline=date(2026, 4, 15),
        assessed_fee=None,
        payment_date=None,
        rrnp_premium=None,
        explanatory_codes=[],
        created_at=None,
        created_day=None,
        occurred_at=datetime(2026, 1, 16, 16, 30, 1, tzinfo=UTC),
        source_topic="claims-in",
        source_partition=3,
        source_offset=42,
    )


def test_a_paid_claim_becomes_a_row_without_the_dates_of_submission() -> None:
    assert _row_of(WCB_PAID, PAID) == ClaimEventRow(
        claim_id=UUID("5a17c0de-0000-4000-8000-000000000001"),
        claim_version=1,
        provider_id=UUID("7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01"),
        state=ClaimState.PAID,
        claim_type=ClaimType.WCB,
        date_of_service=date(2026, 1, 15),
        patient_phn="123456780",
        ba_number=None,
        location_id=UUID("0f4e2d1c-9b8a-4765-8321-0fedcba98703"),
        hsc_code=None,
        modifiers=[],
        form_id=FormId.C050E,
        timing_tier=TimingTier.ON_TIME,
        submitted_fee=Decimal("25.09"),
        submitted_at=None,
        submission_deadline=None,
        assessed_fee=Decimal("24.00"),
        payment_date=date(2026, 2, 6),
        rrnp_premium=Decimal("1.50"),
        explanatory_codes=[],
        created_at=None,
        created_day=None,
        occurred_at=datetime(2026, 1, 16, 16, 30, 1, tzinfo=UTC),
        source_topic="claims-in",
        source_partition=3,
        source_offset=42,
    )


@pytest.mark.parametrize("contract", CLAIM_CONTRACTS, ids=lambda contract: contract.topic)
def test_every_field_of_an_event_has_a_column_of_its_name(contract: ClaimContract) -> None:
    """But for the stage of a draft, which is its state."""
    assert set(contract.data.model_fields) <= {*ClaimEventRow._fields, "stage"}


BROKEN_BY_CLAIM_TYPE = [
    pytest.param({**AHCIP_SUBMITTED, "ba_number": None}, "ba_number", id="AHCIP without BA"),
    pytest.param({**AHCIP_SUBMITTED, "hsc_code": None}, "hsc_code", id="AHCIP without code"),
    pytest.param({**AHCIP_SUBMITTED, "form_id": "C151"}, "form_id", id="AHCIP with form"),
    pytest.param({**AHCIP_SUBMITTED, "timing_tier": "LATE"}, "timing_tier", id="AHCIP with tier"),
    pytest.param({**WCB_SUBMITTED, "form_id": None}, "form_id", id="WCB without form"),
]


@pytest.mark.parametrize(("data", "field"), BROKEN_BY_CLAIM_TYPE)
def test_the_claim_type_says_which_fields_must_be_there(data: Data, field: str) -> None:
    assert _refusal_of(data, SUBMITTED) == field


@pytest.mark.parametrize(("data", "field"), BROKEN_BY_CLAIM_TYPE)
def test_the_schema_knows_the_rules_of_the_claim_types(data: Data, field: str) -> None:
    schema = jsonschema.Draft202012Validator(schema_file(SUBMITTED))
    assert not schema.is_valid(data)
    assert schema.is_valid({**data, field: None if data[field] else "C151"})


@pytest.mark.parametrize(
    ("data", "field"),
    [(AHCIP_SUBMITTED, "ba_number"), (AHCIP_SUBMITTED, "hsc_code"), (WCB_SUBMITTED, "form_id")],
)
def test_a_field_that_the_claim_type_needs_may_not_be_absent(data: Data, field: str) -> None:
    without = {name: value for name, value in data.items() if name != field}
    assert _refusal_of(without, SUBMITTED) == field
    assert not jsonschema.Draft202012Validator(schema_file(SUBMITTED)).is_valid(without)


@pytest.mark.parametrize(
    "change", [{"timing_tier": None}, {"ba_number": "1234567"}, {"hsc_code": "03.03A"}]
)
def test_a_wcb_claim_is_free_in_everything_but_its_form(change: Data) -> None:
    _row_of({**WCB_SUBMITTED, **change})


def test_two_broken_rules_are_both_named() -> None:
    data = {**AHCIP_SUBMITTED, "ba_number": None, "timing_tier": "LATE"}
    detail = refused(binary(json.dumps(data).encode())).detail
    assert "ba_number: must be" in detail
    assert "timing_tier: must be" in detail


def test_a_service_may_lie_on_the_day_after_the_events_own_time() -> None:
    row = _row_of({**AHCIP_SUBMITTED, "date_of_service": "2026-01-17"})
    assert row.date_of_service == date(2026, 1, 17)


def test_a_service_may_not_lie_two_days_after_the_events_own_time() -> None:
    data = {**AHCIP_SUBMITTED, "date_of_service": "2026-01-18"}
    assert _refusal_of(data, SUBMITTED) == "date_of_service"


def test_the_day_of_an_event_is_its_day_in_utc() -> None:
    data = {**AHCIP_SUBMITTED, "date_of_service": "2026-01-18"}
    _row_of(data, time="2026-01-16T17:00:00-07:00")
    assert _refusal_of(data, SUBMITTED, time="2026-01-17T06:00:00+07:00") == "date_of_service"


def test_a_payment_may_come_on_the_day_of_service() -> None:
    _row_of({**AHCIP_PAID, "payment_date": AHCIP_PAID["date_of_service"]}, PAID)


def test_a_payment_may_not_come_before_the_service() -> None:
    assert _refusal_of({**AHCIP_PAID, "payment_date": "2026-01-14"}, PAID) == "payment_date"


def test_a_payment_may_lie_after_the_event_that_announces_it() -> None:
    _row_of({**AHCIP_PAID, "payment_date": "2026-03-01"}, PAID)


@pytest.mark.parametrize("text", ["null", "[]", "7", '"text"', "true"])
def test_data_that_is_no_object_is_an_invalid_field(text: str) -> None:
    letter = refused(binary(text.encode()))
    assert letter.reason == DeadLetterReason.INVALID_FIELD
    assert letter.detail == "data: must be a JSON object"
