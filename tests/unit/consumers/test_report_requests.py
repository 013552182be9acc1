"""Which requests are dead letters, and which become reports that say what is wrong with them."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.contracts.registry import REPORT_REQUEST
from repositories.reports.requests import ReportRequest
from repositories.vocabulary import ReportFormat, ReportType
from tests.unit.consumers.records import with_literal
from tests.unit.consumers.report_records import EXPORT, JWE, REQUEST, decoded_request, request_of
from tests.unit.consumers.test_garbage import any_json

SCHEMA = jsonschema.Draft202012Validator(schema_file(REPORT_REQUEST))
REQUIRED = ("report_id", "provider_id", "report_type", "format")
SECRET = "Жщ漢ø5557778"


def problem(**changed: Any) -> str | None:
    return request_of({**REQUEST, **changed}).problem


def test_a_request_becomes_a_row_with_the_time_of_its_event() -> None:
    assert request_of(REQUEST) == ReportRequest(
        report_id=UUID("4e904e57-0000-4000-8000-000000000001"),
        provider_id=UUID("7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01"),
        report_type=ReportType.ACCOUNTANT_SUMMARY,
        format=ReportFormat.PDF,
        period_start=date(2025, 1, 1),
        period_end=date(2025, 12, 31),
        scheduled=True,
        archive_password=None,
        requested_at=datetime(2026, 1, 16, 16, 30, 1, tzinfo=UTC),
        problem=None,
        source_topic="claims-in",
        source_partition=3,
        source_offset=42,
    )


@pytest.mark.parametrize("rest", [{}, {"scheduled": None, "archive_password": None}])
def test_what_need_not_be_there_has_its_default(rest: dict[str, None]) -> None:
    request = request_of({name: EXPORT[name] for name in REQUIRED} | rest)
    assert (request.scheduled, request.archive_password, request.problem) == (False, None, None)
    assert (request.period_start, request.period_end) == (None, None)


def test_an_encrypted_password_is_handed_on_as_it_came() -> None:
    assert request_of(EXPORT).archive_password == JWE


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("literal", ["null", '"x"', "1", "true", "[]", '"\\ud800"', '""'])
def test_a_request_that_does_not_say_what_it_is_becomes_a_dead_letter(
    name: str, literal: str
) -> None:
    letter = decoded_request(with_literal(REQUEST, name, literal))
    assert isinstance(letter, DeadLetter)
    assert letter.reason is DeadLetterReason.INVALID_FIELD
    assert letter.detail.startswith(f"{name}: must be ")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_request_that_lacks_what_it_is_becomes_a_dead_letter(name: str) -> None:
    letter = decoded_request({key: value for key, value in REQUEST.items() if key != name})
    assert isinstance(letter, DeadLetter)
    assert letter.detail.startswith(f"{name}: must be ")


@pytest.mark.parametrize("name", ["period_start", "period_end"])
@pytest.mark.parametrize(
    "literal",
    ['""', '"2026-02-30"', '"2026-1-05"', '"20260105"', '"2026-W01-1"', '"0000-01-01"', "20260105",
     '"2026-01-05T00:00:00Z"', '" 2026-01-05"', '"2026-01-05\\n"', "true", "[]", '"next week"'],
)  # fmt: skip
def test_a_date_that_is_none_makes_a_dead_letter(name: str, literal: str) -> None:
    letter = decoded_request(with_literal(REQUEST, name, literal))
    assert isinstance(letter, DeadLetter)
    assert letter.reason is DeadLetterReason.INVALID_FIELD
    assert letter.detail.startswith(f"{name}: must be ")


@pytest.mark.parametrize("report_type", ReportType)
@pytest.mark.parametrize("report_format", ReportFormat)
def test_which_report_comes_in_which_format(
    report_type: ReportType, report_format: ReportFormat
) -> None:
    is_export = report_type is ReportType.DATA_PORTABILITY
    exists = (report_format is ReportFormat.ZIP) == is_export
    assert (problem(report_type=report_type, format=report_format) is None) == exists


def test_the_person_is_told_which_formats_there_are() -> None:
    assert problem(format="ZIP") == ("ACCOUNTANT_SUMMARY reports come as CSV or PDF, not as ZIP.")


@pytest.mark.parametrize(
    "period",
    [{"period_start": None}, {"period_end": None}, {"period_start": None, "period_end": None}],
)
def test_a_period_must_be_whole(period: dict[str, Any]) -> None:
    assert "first and a last day" in (problem(**period) or "")


def test_an_absent_period_is_missing() -> None:
    without = {name: value for name, value in REQUEST.items() if not name.startswith("period")}
    assert "first and a last day" in (request_of(without).problem or "")


def test_a_period_must_not_end_before_it_starts() -> None:
    assert "before it starts" in (problem(period_start="2025-12-31", period_end="2025-12-30") or "")
    assert problem(period_start="2025-12-31", period_end="2025-12-31") is None


def test_a_period_may_span_two_years_and_no_more() -> None:
    assert problem(period_start="2024-01-01", period_end="2025-12-31") is None
    assert "730 days" in (problem(period_start="2024-01-01", period_end="2026-01-01") or "")


@pytest.mark.parametrize("day", ["1999-12-31", "2101-01-01", "0001-01-01", "9999-12-31"])
def test_a_year_that_the_service_does_not_know_is_a_problem_and_is_not_kept(day: str) -> None:
    request = request_of({**REQUEST, "period_start": day, "period_end": day})
    assert "2000 to 2100" in (request.problem or "")
    assert (request.period_start, request.period_end) == (None, None)


@pytest.mark.parametrize("days", [("2025-01-01", "2025-12-31"), ("2025-12-31", "1999-01-01")])
def test_a_period_for_all_of_a_providers_data_is_passed_over(days: tuple[str, str]) -> None:
    request = request_of({**EXPORT, "period_start": days[0], "period_end": days[1]})
    assert request.problem is None
    assert (request.period_start, request.period_end) == (None, None)


@pytest.mark.parametrize("value", ["true", 1, 0, [], {}])
def test_scheduled_is_true_or_false(value: Any) -> None:
    request = request_of({**REQUEST, "scheduled": value})
    assert "scheduled" in (request.problem or "")
    assert request.scheduled is False


@pytest.mark.parametrize("report_format", ["PDF", "CSV"])
def test_only_a_zip_has_a_password(report_format: str) -> None:
    assert "Only a ZIP" in (problem(format=report_format, archive_password=JWE) or "")


@pytest.mark.parametrize(
    "password",
    ["", "correct horse battery", "a.b.c.d", "a.b.c.d.e.f", ".a.b.c.d", "a.b.c.d.e\n", "a.b.c.d.é",
     "a.b.c.d.\0", "a.b.c.d.\ud800", "a.b.c.d." + "e" * 4096, 7, True, [], {}],
)  # fmt: skip
def test_a_password_that_is_no_jwe_is_a_problem_and_goes_no_further(password: Any) -> None:
    request = request_of({**EXPORT, "archive_password": password})
    assert "archive_password" in (request.problem or "")
    assert request.archive_password is None


def test_everything_that_is_wrong_is_said() -> None:
    said = problem(format="ZIP", period_start=None, scheduled="no", archive_password="x")
    assert said is not None
    assert said.count(".") == 4


@pytest.mark.parametrize("name", REQUEST)
@pytest.mark.parametrize("planted", [SECRET, [SECRET], {SECRET: SECRET}, 5557778])
def test_neither_a_problem_nor_a_dead_letter_shows_a_value(name: str, planted: Any) -> None:
    outcome = decoded_request({**EXPORT, name: planted})
    said = outcome.detail if isinstance(outcome, DeadLetter) else outcome.problem
    assert said
    assert said.isascii()
    assert "5557778" not in said


@settings(max_examples=300, deadline=None)
@given(base=st.sampled_from([REQUEST, EXPORT]), changes=st.data())
def test_requests_that_are_nearly_right_are_judged_as_the_schema_does(
    base: dict[str, Any], changes: st.DataObject
) -> None:
    changed = changes.draw(st.dictionaries(st.sampled_from(sorted(base)), any_json, max_size=3))
    data = {**base, **changed}
    outcome = decoded_request(json.dumps(data).encode())
    if isinstance(outcome, ReportRequest) and outcome.problem is None:
        relaxed = {**data, "period_start": None, "period_end": None}
        SCHEMA.validate(relaxed if outcome.report_type is ReportType.DATA_PORTABILITY else data)


def test_every_field_says_its_rule_and_its_meaning() -> None:
    for field in REPORT_REQUEST.data.model_fields.values():
        assert field.description
        assert field.title
