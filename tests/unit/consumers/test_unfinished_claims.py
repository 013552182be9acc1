"""Claims that are not sent: what they may lack, their state, and the day on which they began."""

import json
from datetime import date
from typing import Any

import jsonschema
import pytest

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.claims import SentClaim
from consumers.contracts.refusal import DeadLetterReason
from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from repositories.vocabulary import ClaimState
from tests.unit.consumers.records import AHCIP, CONTRACTS, accepted, binary, refused

SAVED = CONTRACTS["claim-saved"]
UNFINISHED = [c for c in CLAIM_CONTRACTS if not issubclass(c.data, SentClaim)]
LACKING = ["ba_number", "hsc_code", "form_id", "submitted_fee"]
Data = dict[str, Any]


def _record(contract: ClaimContract, **changes: Any) -> Any:
    return binary(json.dumps({**AHCIP[contract.topic], **changes}).encode(), contract)


def _schema_takes(contract: ClaimContract, **changes: Any) -> bool:
    schema = jsonschema.Draft202012Validator(schema_file(contract))
    return bool(schema.is_valid({**AHCIP[contract.topic], **changes}))


def test_a_claim_that_was_never_sent_can_be_saved_written_off_expire_and_be_withdrawn() -> None:
    assert [contract.topic for contract in UNFINISHED] == [
        *("claim-saved", "claim-written-off", "claim-expired", "claim-withdrawn"),
    ]


@pytest.mark.parametrize("contract", CLAIM_CONTRACTS, ids=lambda contract: contract.topic)
@pytest.mark.parametrize("claim_type", ["AHCIP", "WCB"])
def test_only_what_was_never_sent_may_lack_code_form_arrangement_and_fee(
    contract: ClaimContract, claim_type: str
) -> None:
    lacking = dict.fromkeys(LACKING)
    may = contract in UNFINISHED
    assert _schema_takes(contract, claim_type=claim_type, **lacking) == may
    record = _record(contract, claim_type=claim_type, **lacking)
    if may:
        row = accepted(record, contract)
        assert [getattr(row, name) for name in LACKING] == [None] * len(LACKING)
    else:
        assert refused(record, contract).reason == DeadLetterReason.INVALID_FIELD


@pytest.mark.parametrize("contract", UNFINISHED, ids=lambda contract: contract.topic)
@pytest.mark.parametrize(("name", "value"), [("form_id", "C151"), ("timing_tier", "LATE")])
def test_what_a_claim_to_the_province_never_has_is_refused_in_a_draft_too(
    contract: ClaimContract, name: str, value: str
) -> None:
    letter = refused(_record(contract, **{name: value}), contract)
    assert letter.detail.startswith(f"{name}: must be ")
    assert not _schema_takes(contract, **{name: value})


@pytest.mark.parametrize("stage", ["DRAFT", "VALIDATED", "QUEUED"])
def test_the_state_of_a_saved_claim_is_its_stage(stage: str) -> None:
    row = accepted(_record(SAVED, stage=stage), SAVED)
    assert row.state is ClaimState(stage)


def test_a_member_named_for_the_state_says_nothing() -> None:
    row = accepted(_record(SAVED, state="PAID", created_day="2020-01-01"), SAVED)
    assert (row.state, row.created_day) == (ClaimState.VALIDATED, date(2026, 1, 15))


@pytest.mark.parametrize(
    ("created_at", "day"),
    [
        ("2026-01-16T06:59:59.999Z", date(2026, 1, 15)),
        ("2026-01-16T07:00:00Z", date(2026, 1, 16)),
        ("2026-07-16T05:59:59Z", date(2026, 7, 15)),  # an hour earlier in summer
        ("2026-07-16T06:00:00Z", date(2026, 7, 16)),
        ("2024-02-29T23:30:00-07:00", date(2024, 2, 29)),
        ("2025-11-02T01:30:00-06:00", date(2025, 11, 2)),  # the hour that comes twice
        ("2025-11-02T01:30:00-07:00", date(2025, 11, 2)),
        ("2000-01-01T00:00:00Z", date(1999, 12, 31)),
    ],
)
def test_the_day_on_which_a_claim_began_is_the_day_in_alberta(created_at: str, day: date) -> None:
    assert accepted(_record(SAVED, created_at=created_at), SAVED).created_day == day


@pytest.mark.parametrize("contract", CLAIM_CONTRACTS, ids=lambda contract: contract.topic)
def test_the_other_events_have_one_state_each_and_no_day_of_beginning(
    contract: ClaimContract,
) -> None:
    row = accepted(_record(contract), contract)
    assert row.state is contract.state or contract is SAVED
    assert (row.created_day is None) == (row.created_at is None) == (contract is not SAVED)
