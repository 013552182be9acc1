import json
import sys
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.refusal import DeadLetterReason
from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from tests.unit.consumers.field_cases import CASES, Case
from tests.unit.consumers.literals import BEYOND_SCHEMA
from tests.unit.consumers.records import (
    AHCIP,
    AHCIP_SUBMITTED,
    CONTRACTS,
    accepted,
    binary,
    refused,
    with_literal,
)


def _pairs(side: str) -> list[Any]:
    return [
        pytest.param(case, literal, id=f"{case.field} {ascii(literal)[:40]}")
        for case in CASES
        for literal in getattr(case, side)
    ]


GOOD, BAD = _pairs("good"), _pairs("bad")
READABLE_BY_PYTHON = [
    pair for pair in BAD if len(pair.values[1]) < sys.int_info.default_max_str_digits
]


def _schema_takes(case: Case, literal: str) -> bool:
    schema = jsonschema.Draft202012Validator(schema_file(case.contract))
    return bool(schema.is_valid(json.loads(with_literal(case.base, case.field, literal))))


@pytest.mark.parametrize(("case", "literal"), GOOD)
def test_a_field_takes_what_its_rule_allows(case: Case, literal: str) -> None:
    value = with_literal(case.base, case.field, literal)
    row = accepted(binary(value, case.contract), case.contract)
    found = getattr(row, "state" if case.field == "stage" else case.field)
    assert found == case.good[literal]
    assert type(found) is type(case.good[literal])


@pytest.mark.parametrize(("case", "literal"), BAD)
def test_a_field_refuses_everything_else_and_says_its_rule(case: Case, literal: str) -> None:
    value = with_literal(case.base, case.field, literal)
    letter = refused(binary(value, case.contract), case.contract)
    rule = case.contract.data.model_fields[case.field].description
    assert letter.reason == DeadLetterReason.INVALID_FIELD
    assert letter.detail == f"{case.field}: must be {rule}"


@pytest.mark.parametrize(("case", "literal"), GOOD)
def test_the_schema_takes_what_the_field_takes(case: Case, literal: str) -> None:
    assert _schema_takes(case, literal)


@pytest.mark.parametrize(("case", "literal"), READABLE_BY_PYTHON)
def test_the_schema_refuses_what_the_field_refuses_where_it_can(case: Case, literal: str) -> None:
    assert _schema_takes(case, literal) == (literal in BEYOND_SCHEMA)


def test_the_tables_cover_every_field() -> None:
    for contract in CLAIM_CONTRACTS:
        assert set(contract.data.model_fields) <= {case.field for case in CASES}


@pytest.mark.parametrize("contract", CLAIM_CONTRACTS, ids=lambda contract: contract.topic)
def test_every_field_says_its_rule_and_its_meaning(contract: Any) -> None:
    for field in contract.data.model_fields.values():
        assert field.description
        assert field.title


_UNFINISHED = ["ba_number", "hsc_code", "submitted_fee"]


@pytest.mark.parametrize(
    ("topic", "name", "expected"),
    [
        ("claim-submitted", "patient_phn", None),
        ("claim-submitted", "location_id", None),
        ("claim-submitted", "modifiers", []),
        ("claim-submitted", "form_id", None),
        ("claim-submitted", "timing_tier", None),
        ("claim-submitted", "submission_deadline", None),
        ("claim-saved", "submission_deadline", None),
        ("claim-rejected", "submission_deadline", None),
        ("claim-rejected", "explanatory_codes", []),
        ("claim-assessed", "explanatory_codes", []),
        ("claim-adjusted", "explanatory_codes", []),
        ("claim-paid", "rrnp_premium", Decimal(0)),
        ("claim-adjusted", "rrnp_premium", Decimal(0)),
        *(("claim-saved", name, None) for name in _UNFINISHED),
        *(("claim-expired", name, None) for name in _UNFINISHED),
        *(("claim-withdrawn", name, None) for name in _UNFINISHED),
        *(("claim-written-off", name, None) for name in _UNFINISHED),
    ],
)
def test_an_absent_field_that_need_not_be_there_has_its_default(
    topic: str, name: str, expected: Any
) -> None:
    data = {field: value for field, value in AHCIP[topic].items() if field != name}
    row = accepted(binary(json.dumps(data).encode(), CONTRACTS[topic]), CONTRACTS[topic])
    assert getattr(row, name) == expected


@pytest.mark.parametrize(
    ("contract", "name"),
    [
        (contract, name)
        for contract in CLAIM_CONTRACTS
        for name, field in contract.data.model_fields.items()
        if field.is_required()
    ],
)
def test_an_absent_field_that_must_be_there_is_named(contract: ClaimContract, name: str) -> None:
    data = {field: value for field, value in AHCIP[contract.topic].items() if field != name}
    letter = refused(binary(json.dumps(data).encode(), contract), contract)
    assert letter.reason == DeadLetterReason.INVALID_FIELD
    assert letter.detail.startswith(f"{name}: must be ")


def test_unknown_fields_are_ignored_even_when_they_bear_names_of_columns() -> None:
    extra = {**AHCIP_SUBMITTED, "state": "PAID", "assessed_fee": "1.00", "source_offset": 7}
    with_extra = accepted(binary(json.dumps(extra).encode()))
    assert with_extra == accepted(binary(json.dumps(AHCIP_SUBMITTED).encode()))


def test_many_broken_fields_give_a_detail_of_bounded_length() -> None:
    letter = refused(binary(b"{}"))
    assert letter.detail.endswith("; and 2 more")
    assert letter.detail.count(": must be ") == 5
