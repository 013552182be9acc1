"""The example events of the documentation have the outcome that their place says."""

from typing import Any

import jsonschema
import pytest

from consumers.contracts.schemas import schema_file
from consumers.dead_letters import DeadLetterReason
from tests.unit.consumers.example_files import (
    contract_of,
    in_structured_mode,
    lines,
    record_of,
)
from tests.unit.consumers.records import accepted, refused

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


@pytest.mark.parametrize(("stem", "line"), _cases("accepted"))
def test_an_accepted_example_becomes_a_row(stem: str, line: Line) -> None:
    contract = contract_of(line)
    assert stem in {contract.topic, "raw"}
    assert accepted(record_of(line), contract).state is contract.state


@pytest.mark.parametrize(("stem", "line"), _cases("rejected"))
def test_a_rejected_example_becomes_a_dead_letter_for_the_reason_of_its_file(
    stem: str, line: Line
) -> None:
    assert refused(record_of(line), contract_of(line)).reason == DeadLetterReason(stem)


@pytest.mark.parametrize(("stem", "line"), _cases("conflicting"))
def test_a_conflicting_example_is_a_good_event_when_it_comes_alone(stem: str, line: Line) -> None:
    accepted(record_of(line), contract_of(line))


def test_every_reason_has_an_example() -> None:
    shown = {stem for place in ("rejected", "conflicting") for stem, _ in lines(place)}
    assert shown == {reason.value for reason in DeadLetterReason}


@pytest.mark.parametrize(("stem", "line"), _events("accepted", "conflicting"))
def test_an_example_gives_the_same_row_in_both_modes(stem: str, line: Line) -> None:
    contract = contract_of(line)
    assert accepted(in_structured_mode(line), contract) == accepted(record_of(line), contract)


@pytest.mark.parametrize(("stem", "line"), _events("rejected"))
def test_an_example_is_refused_alike_in_both_modes(stem: str, line: Line) -> None:
    contract = contract_of(line)
    in_binary = refused(record_of(line), contract)
    in_structured = refused(in_structured_mode(line), contract)
    assert (in_structured.reason, in_structured.detail) == (in_binary.reason, in_binary.detail)


@pytest.mark.parametrize(("stem", "line"), _events("accepted", "conflicting"))
def test_the_schema_takes_what_is_accepted(stem: str, line: Line) -> None:
    validator = jsonschema.Draft202012Validator(
        schema_file(contract_of(line)), format_checker=jsonschema.FormatChecker()
    )
    validator.validate(line["data"])
