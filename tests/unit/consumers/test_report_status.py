"""What the service announces keeps the contract that it publishes."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import jsonschema
import pytest
from pydantic import BaseModel

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.decode import validated
from consumers.contracts.refusal import RefusedError
from consumers.contracts.registry import SENT_CONTRACTS, Contract
from consumers.contracts.strict_json import parse_json
from repositories import SelectGeneratedReport
from repositories.reports.generated_reports import EVENT_TYPES, TOPIC, announcement_of
from repositories.vocabulary import ReportFormat, ReportStatus, ReportType

NOW = datetime(2026, 1, 16, 17, 0, tzinfo=UTC)
BY_STATUS = {
    status: contract
    for status, name in EVENT_TYPES.items()
    for contract in SENT_CONTRACTS
    if contract.event.name == name
}


def report(status: ReportStatus) -> SelectGeneratedReport:
    failed = status is ReportStatus.FAILED
    return SelectGeneratedReport(
        report_id=UUID(int=1),
        provider_id=UUID(int=2),
        report_type=ReportType.WCB_TIMING,
        format=ReportFormat.CSV,
        period_start=None,
        period_end=None,
        file_path="reports/somewhere",
        file_size_bytes=0 if failed else 2**40,
        download_link_expires_at=NOW.replace(microsecond=7),
        downloaded=False,
        scheduled=False,
        status=status,
        error_message="Report generation failed." if failed else None,
        created_at=NOW,
    )


def data(status: ReportStatus) -> dict[str, Any]:
    announced: dict[str, Any] = json.loads(json.dumps(announcement_of(report(status), NOW).data))
    return announced


def test_every_event_that_is_sent_has_a_contract_on_its_topic() -> None:
    assert set(EVENT_TYPES.values()) == {contract.event.name for contract in SENT_CONTRACTS}
    assert {contract.topic for contract in SENT_CONTRACTS} == {TOPIC}


@pytest.mark.parametrize(("status", "contract"), BY_STATUS.items())
def test_an_announcement_keeps_its_contract(
    status: ReportStatus, contract: Contract[BaseModel]
) -> None:
    announced = data(status)
    validated(contract.data, parse_json(json.dumps(announced).encode()))
    jsonschema.Draft202012Validator(schema_file(contract)).validate(announced)
    assert set(announced) == set(contract.data.model_fields)


def test_it_says_for_what_days_the_report_was_asked_and_whether_by_a_schedule() -> None:
    asked: dict[str, Any] = {
        "period_start": date(2025, 12, 29),
        "period_end": date(2026, 1, 4),
        "scheduled": True,
    }
    ready = report(ReportStatus.READY)
    announced = [announcement_of(each, NOW).data for each in (replace(ready, **asked), ready)]
    days = [(each["period_start"], each["period_end"], each["scheduled"]) for each in announced]
    assert days == [("2025-12-29", "2026-01-04", True), (None, None, False)]


@pytest.mark.parametrize(("status", "contract"), BY_STATUS.items())
def test_an_announcement_of_an_earlier_version_keeps_the_contract_too(
    status: ReportStatus, contract: Contract[BaseModel]
) -> None:
    """The topic may hold some for as long as it keeps anything."""
    earlier = data(status)
    for added in ("period_start", "period_end", "scheduled"):
        del earlier[added]
    validated(contract.data, parse_json(json.dumps(earlier).encode()))
    jsonschema.Draft202012Validator(schema_file(contract)).validate(earlier)


@pytest.mark.parametrize("status", BY_STATUS)
def test_an_announcement_never_says_where_the_file_is(status: ReportStatus) -> None:
    assert "somewhere" not in json.dumps(data(status))


@pytest.mark.parametrize(("status", "contract"), BY_STATUS.items())
@pytest.mark.parametrize("other", BY_STATUS)
def test_each_contract_takes_its_own_state_alone(
    status: ReportStatus, contract: Contract[BaseModel], other: ReportStatus
) -> None:
    changed = {**data(status), "status": other}
    schema = jsonschema.Draft202012Validator(schema_file(contract))
    assert schema.is_valid(changed) == (status is other)
    if status is not other:
        with pytest.raises(RefusedError):
            validated(contract.data, parse_json(json.dumps(changed).encode()))
