import json
import sys
from decimal import Decimal
from typing import Any

import jsonschema
import pytest

from consumers.contracts.registry import CLAIM_CONTRACTS
from consumers.contracts.schemas import schema_file
from consumers.dead_letters import DeadLetterReason
from tests.unit.consumers.field_cases import BEYOND_SCHEMA, CASES, Case
from tests.unit.consumers.records import (
    AHCIP_PAID,
    AHCIP_SUBMITTED,
    PAID,
    SUBMITTED,
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
    found = getattr(row, case.field)
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


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("patient_phn", None),
        ("location_id", None),
        ("modifiers", []),
        ("form_id", None),
        ("timing_tier", None),
        ("submission_deadline", None),
    ],
)
def test_an_absent_field_that_need_not_be_there_has_its_default(name: str, expected: Any) -> None:
    data = {field: value for field, value in AHCIP_SUBMITTED.items() if field != name}
    assert getattr(accepted(binary(json.dumps(data).encode())), name) == expected


def test_an_absent_premium_is_zero() -> None:
    data = {name: value for name, value in AHCIP_PAID.items() if name != "rrnp_premium"}
    row = accepted(binary(json.dumps(data).encode(), PAID), PAID)
    assert row.rrnp_premium == Decimal(0)


@pytest.mark.parametrize(
    ("contract", "base", "name"),
    [
        (contract, base, name)
        for contract, base in ((SUBMITTED, AHCIP_SUBMITTED), (PAID, AHCIP_PAID))
        for name, field in contract.data.model_fields.items()
        if field.is_required()
    ],
)
def test_an_absent_field_that_must_be_there_is_named(
    contract: Any, base: dict[str, Any], name: str
) -> None:
    data = {field: value for field, value in base.items() if field != name}
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
