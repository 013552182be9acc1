"""The example events of the documentation have the outcome that their place says."""

from typing import Any

import jsonschema
import pytest

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.contracts.registry import READ_CONTRACTS, ClaimContract
from tests.unit.consumers.example_files import (
    contract_of,
    in_structured_mode,
    lines,
    outcome_of,
    record_of,
)
from tests.unit.consumers.records import KafkaRecord

Line = dict[str, Any]


def _cases(directory: str) -> list[Any]:
    return [
        pytest.param(stem, line, id=f"{stem}: {line['comment']}") for stem, line in lines(directory)
    ]


def _is_event(line: Line) -> bool:
    return "topic" not in line


def _events(*directories: str) -> list[Any]:
    cases = [case for directory in directories for case in _cases(directory)]
    return [case for case in cases if _is_event(case.values[1])]


def _accepted(record: KafkaRecord, line: Line) -> Any:
    outcome = outcome_of(record, line)
    assert not isinstance(outcome, DeadLetter), outcome
    return outcome


def _refused(record: KafkaRecord, line: Line) -> DeadLetter:
    outcome = outcome_of(record, line)
    assert isinstance(outcome, DeadLetter), outcome
    return outcome


@pytest.mark.parametrize(("stem", "line"), _cases("accepted"))
def test_an_accepted_example_becomes_a_row(stem: str, line: Line) -> None:
    contract = contract_of(line)
    assert stem in {contract.topic, "raw"}
    event = _accepted(record_of(line), line)
    if isinstance(contract, ClaimContract):
        assert event.state is contract.state or contract.state is None
    assert getattr(event, "problem", None) is None


@pytest.mark.parametrize(("stem", "line"), _cases("impossible"))
def test_an_impossible_example_becomes_a_row_that_says_what_is_wrong(stem: str, line: Line) -> None:
    assert _accepted(record_of(line), line).problem


@pytest.mark.parametrize(("stem", "line"), _cases("rejected"))
def test_a_rejected_example_becomes_a_dead_letter_for_the_reason_of_its_file(
    stem: str, line: Line
) -> None:
    assert _refused(record_of(line), line).reason == DeadLetterReason(stem)


@pytest.mark.parametrize(("stem", "line"), _cases("conflicting"))
def test_a_conflicting_example_is_a_good_event_when_it_comes_alone(stem: str, line: Line) -> None:
    _accepted(record_of(line), line)


def test_every_event_that_is_read_has_an_accepted_example() -> None:
    shown = {stem for stem, _ in lines("accepted")}
    assert shown >= {contract.topic for contract in READ_CONTRACTS}


def test_every_reason_has_an_example() -> None:
    shown = {stem for place in ("rejected", "conflicting") for stem, _ in lines(place)}
    assert shown == {reason.value for reason in DeadLetterReason}


@pytest.mark.parametrize(("stem", "line"), _events("accepted", "conflicting", "impossible"))
def test_an_example_gives_the_same_row_in_both_modes(stem: str, line: Line) -> None:
    assert _accepted(in_structured_mode(line), line) == _accepted(record_of(line), line)


@pytest.mark.parametrize(("stem", "line"), _events("rejected"))
def test_an_example_is_refused_alike_in_both_modes(stem: str, line: Line) -> None:
    in_binary = _refused(record_of(line), line)
    in_structured = _refused(in_structured_mode(line), line)
    assert (in_structured.reason, in_structured.detail) == (in_binary.reason, in_binary.detail)


@pytest.mark.parametrize(("stem", "line"), _events("accepted", "conflicting"))
def test_the_schema_takes_what_is_accepted(stem: str, line: Line) -> None:
    validator = jsonschema.Draft202012Validator(
        schema_file(contract_of(line)), format_checker=jsonschema.FormatChecker()
    )
    validator.validate(line["data"])


@pytest.mark.parametrize(("stem", "line"), _events("impossible"))
def test_the_schema_refuses_what_is_impossible_where_it_can(stem: str, line: Line) -> None:
    schema = jsonschema.Draft202012Validator(schema_file(contract_of(line)))
    needs_arithmetic = line["comment"] in {"A period that ends before it starts", "Three years"}
    assert schema.is_valid(line["data"]) == needs_arithmetic
