"""What an event of the AI coach takes and refuses."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.contracts.registry import AI_SUGGESTION
from consumers.topics.suggestions import decode_suggestion
from repositories.suggestions.rows import SuggestionRow
from repositories.tables import SOURCE_COLUMNS, SUGGESTION_COLUMNS
from repositories.vocabulary import SuggestionEvent
from tests.unit.consumers.records import EVENT_TIME, with_literal
from tests.unit.consumers.report_records import record

SCHEMA = jsonschema.Draft202012Validator(schema_file(AI_SUGGESTION))
DATA: dict[str, Any] = {
    "event_id": "a1c0ac00-0000-4000-8000-000000000001",
    "suggestion_id": "5099e571-0000-4000-8000-000000000002",
    "claim_id": "5a17c0de-0000-4000-8000-000000000003",
    "provider_id": "7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01",
    "rule_id": "2b7e1516-28ae-4d2a-8bf7-158809cf4f04",
    "rule_name": "Add the after-hours modifier – Łódź",
    "category": "MODIFIER",
    "tier": 2,
    "event_type": "ACCEPTED",
    "revenue_impact": "12.50",
    "created_at": "2026-01-16T09:30:00.5-07:00",
}


def decoded(data: object) -> SuggestionRow | DeadLetter:
    value = data if isinstance(data, bytes) else json.dumps(data).encode()
    return decode_suggestion(record(value, AI_SUGGESTION.event.name))


def row_of(data: object) -> SuggestionRow:
    outcome = decoded(data)
    assert isinstance(outcome, SuggestionRow), outcome
    return outcome


def test_an_event_becomes_a_row_in_the_order_of_the_tables_columns() -> None:
    assert SuggestionRow._fields == (*SUGGESTION_COLUMNS, *SOURCE_COLUMNS)
    assert row_of(DATA) == SuggestionRow(
        event_id=UUID("a1c0ac00-0000-4000-8000-000000000001"),
        suggestion_id=UUID("5099e571-0000-4000-8000-000000000002"),
        claim_id=UUID("5a17c0de-0000-4000-8000-000000000003"),
        provider_id=UUID("7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01"),
        rule_id=UUID("2b7e1516-28ae-4d2a-8bf7-158809cf4f04"),
        rule_name="Add the after-hours modifier – Łódź",
        category="MODIFIER",
        tier=2,
        event_type=SuggestionEvent.ACCEPTED,
        revenue_impact=Decimal("12.50"),
        created_at=datetime(2026, 1, 16, 16, 30, 0, 500_000, UTC),
        created_day=date(2026, 1, 16),
        occurred_at=datetime.fromisoformat(EVENT_TIME),
        source_topic="claims-in",
        source_partition=3,
        source_offset=42,
    )


@pytest.mark.parametrize("absent", [True, False], ids=["absent", "null"])
def test_what_need_not_be_there_is_null(absent: bool) -> None:
    optional = ("rule_id", "rule_name", "revenue_impact")
    without = {name: value for name, value in DATA.items() if name not in optional}
    row = row_of(without if absent else {**without, **dict.fromkeys(optional)})
    assert (row.rule_id, row.rule_name, row.revenue_impact) == (None, None, None)


@pytest.mark.parametrize(
    ("created_at", "day"),
    [
        ("2026-02-01T06:59:59Z", date(2026, 1, 31)),  # MST: seven hours behind
        ("2026-02-01T07:00:00Z", date(2026, 2, 1)),
        ("2026-07-01T05:59:59Z", date(2026, 6, 30)),  # MDT: six
        ("2026-07-01T06:00:00Z", date(2026, 7, 1)),
        ("2026-07-01T02:00:00+12:00", date(2026, 6, 30)),
        ("2000-01-01T00:00:00Z", date(1999, 12, 31)),
    ],
)
def test_the_day_is_that_in_alberta(created_at: str, day: date) -> None:
    assert row_of({**DATA, "created_at": created_at}).created_day == day


GOOD = {
    "rule_id": ["null", f'"{DATA["rule_id"].upper()}"'],
    "rule_name": ["null", '"x"', '"' + "x" * 200 + '"'],
    "category": ['"x"', '"' + "漢" * 50 + '"'],
    "tier": ["1", "2", "3"],
    "event_type": [f'"{word}"' for word in SuggestionEvent],
    "revenue_impact": ["null", '"0"', "0", "12.5", '"99999999.99"'],
    "created_at": ['"2100-12-31T23:59:59z"'],
}
NO_UUID = ["null", '"x"', "1", "[]", '"5a17c0de00004000800000000000000a"']
BAD = {
    "event_id": NO_UUID,
    "suggestion_id": NO_UUID,
    "claim_id": NO_UUID,
    "provider_id": NO_UUID,
    "rule_id": NO_UUID[1:],
    "rule_name": ['""', "1", '"a\\u0000"', '"\\ud800"', '"' + "x" * 201 + '"'],
    "category": ["null", '""', "1", '"a\\u0000"', '"\\ud800"', '"' + "x" * 51 + '"'],
    "tier": ["null", "0", "4", "-1", "10", "1.0", "1e0", '"1"', "true", "[1]"],
    "event_type": ["null", '""', '"accepted"', '"IGNORED"', "1", '["ACCEPTED"]'],
    "revenue_impact": ['""', '"-1"', "-1", '"1.234"', "1e2", '"100000000"', "true", '"NaN"'],
    "created_at": ["null", '"2026-01-16"', '"2026-01-16T09:30:00"', "1768581001",
                   '"1999-12-31T23:59:59Z"', '"2026-01-16T23:59:60Z"'],
}  # fmt: skip


def _pairs(table: dict[str, list[str]]) -> list[Any]:
    return [
        pytest.param(name, literal, id=f"{name} {literal[:30]}")
        for name, literals in table.items()
        for literal in literals
    ]


@pytest.mark.parametrize(("name", "literal"), _pairs(GOOD))
def test_a_field_takes_what_its_rule_allows(name: str, literal: str) -> None:
    value = with_literal(DATA, name, literal)
    row_of(value)
    SCHEMA.validate(json.loads(value))


@pytest.mark.parametrize(("name", "literal"), _pairs(BAD))
def test_a_field_refuses_everything_else_and_says_its_rule_and_no_value(
    name: str, literal: str
) -> None:
    _assert_refused(decoded(with_literal(DATA, name, literal)), name)


@pytest.mark.parametrize("name", SCHEMA.schema["required"])
def test_a_field_that_must_be_there_is_missed(name: str) -> None:
    without = {other: value for other, value in DATA.items() if other != name}
    _assert_refused(decoded(without), name)


def _assert_refused(outcome: object, name: str) -> None:
    assert isinstance(outcome, DeadLetter)
    assert outcome.reason is DeadLetterReason.INVALID_FIELD
    assert outcome.detail == f"{name}: must be {AI_SUGGESTION.data.model_fields[name].description}"


def test_unknown_fields_are_ignored() -> None:
    assert row_of({**DATA, "created_day": "2020-01-01", "more": [1]}) == row_of(DATA)


def test_every_field_says_its_rule_and_its_meaning() -> None:
    for field in AI_SUGGESTION.data.model_fields.values():
        assert field.description
        assert field.title
