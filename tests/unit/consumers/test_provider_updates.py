"""What a provider's profile takes and refuses."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.contracts.registry import PROVIDER_UPDATED
from repositories.reports.profiles import ProviderUpdate
from repositories.reports.rows import Location
from tests.unit.consumers.records import with_literal
from tests.unit.consumers.report_records import PROFILE, decoded_profile, profile_of

SCHEMA = jsonschema.Draft202012Validator(schema_file(PROVIDER_UPDATED))
[PLACE] = PROFILE["locations"]


def test_a_profile_becomes_a_row() -> None:
    clinic = UUID("0f4e2d1c-9b8a-4765-8321-0fedcba98703")
    assert profile_of(PROFILE) == ProviderUpdate(
        provider_id=UUID("7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01"),
        provider_version=3,
        first_name="Łukasz",
        last_name="Nguyễn",
        billing_number="0123-45678",
        locations=(Location(clinic, "Đặng Clinic", Decimal("12.50")),),
    )


@pytest.mark.parametrize("rest", [{}, {"billing_number": None, "locations": None}])
def test_what_need_not_be_there_has_its_default(rest: dict[str, None]) -> None:
    names = ("provider_id", "provider_version", "first_name", "last_name")
    update = profile_of({name: PROFILE[name] for name in names} | rest)
    assert (update.billing_number, update.locations) == (None, ())


GOOD = {
    "provider_version": ["0", "1", "-7", "9223372036854775807", "-9223372036854775808"],
    "first_name": ['"x"', '"' + "x" * 200 + '"'],
    "billing_number": ["null", '"1234567890"'],
    "locations": ["[]", "null"],
}
BAD = {
    "provider_id": ["null", '"x"', "1"],
    "provider_version": ["null", '"1"', "1.0", "1e0", "true", "-0", "9223372036854775808", "[]"],
    "first_name": ["null", '""', "1", '"a\\u0000"', '"\\ud800"', '"' + "x" * 201 + '"'],
    "last_name": ["null", '""', "[]"],
    "billing_number": ['""', '"12345678901"', "1"],
    "locations": ["{}", "[1]", "[null]", "[{}]", '"x"'],
}


def _pairs(table: dict[str, list[str]]) -> list[Any]:
    return [
        pytest.param(name, literal, id=f"{name} {literal[:30]}")
        for name, literals in table.items()
        for literal in literals
    ]


@pytest.mark.parametrize(("name", "literal"), _pairs(GOOD))
def test_a_field_takes_what_its_rule_allows(name: str, literal: str) -> None:
    profile_of(with_literal(PROFILE, name, literal))


@pytest.mark.parametrize(("name", "literal"), _pairs(BAD))
def test_a_field_refuses_everything_else_and_says_its_rule(name: str, literal: str) -> None:
    _assert_refused(decoded_profile(with_literal(PROFILE, name, literal)), name)


@pytest.mark.parametrize(
    ("name", "value"),
    [("location_id", None), ("location_id", "x"), ("name", None), ("name", ""), ("name", 1),
     ("rrnp_rate", "12,5"), ("rrnp_rate", "-1"), ("rrnp_rate", "1000"), ("rrnp_rate", "1.23456"),
     ("rrnp_rate", True), ("rrnp_rate", [])],
)  # fmt: skip
def test_a_location_with_a_wrong_field_is_refused(name: str, value: Any) -> None:
    broken = {**PROFILE, "locations": [PLACE, {**PLACE, name: value}]}
    _assert_refused(decoded_profile(broken), "locations")
    assert not SCHEMA.is_valid(broken)


def _assert_refused(outcome: object, name: str) -> None:
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason is DeadLetterReason.INVALID_FIELD
    assert outcome.detail == (
        f"{name}: must be {PROVIDER_UPDATED.data.model_fields[name].description}"
    )


@pytest.mark.parametrize(
    ("literal", "rate"),
    [('"0"', "0"), ("12.5", "12.5"), ("7", "7"), ('"999.9999"', "999.9999"), ("null", None)],
)
def test_a_rate_is_an_exact_percentage_or_unknown(literal: str, rate: str | None) -> None:
    location = f'[{{"location_id": "{PLACE["location_id"]}", "name": "x", "rrnp_rate": {literal}}}]'
    [place] = profile_of(with_literal(PROFILE, "locations", location)).locations
    assert place.rrnp_rate == (None if rate is None else Decimal(rate))


def test_unknown_fields_are_ignored() -> None:
    more = {**PROFILE, "more": 1, "locations": [{**PLACE, "more": 1}]}
    assert profile_of(more) == profile_of(PROFILE)


def test_the_schema_takes_a_good_profile() -> None:
    SCHEMA.validate(PROFILE)


def test_every_field_says_its_rule_and_its_meaning() -> None:
    for field in PROVIDER_UPDATED.data.model_fields.values():
        assert field.description
        assert field.title
