from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from consumers.contracts.asyncapi import asyncapi_document
from consumers.contracts.generate import DIRECTORY, drifted, generated_files, main
from consumers.contracts.letters import REDRIVE_OF, Original, copy_headers
from consumers.contracts.registry import READ_CONTRACTS, SENT_CONTRACTS, ClaimContract, Contract
from consumers.engine.dead_letters import dead_letter_headers
from repositories.operations.letters import LetterId
from tests.unit.consumers.records import (
    AHCIP_SUBMITTED,
    GOOD,
    attributes,
    binary,
    refused,
)

DOCUMENT = asyncapi_document()
ACTIONS = {
    operation["channel"]["$ref"]: operation["action"]
    for operation in DOCUMENT["operations"].values()
}


def _references(part: object) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if "$ref" in part else []
        return own + [found for value in part.values() for found in _references(value)]
    if isinstance(part, list):
        return [found for value in part for found in _references(value)]
    return []


def _follow(reference: str) -> Any:
    place: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        place = place[name]
    return place


def _is_valid(message: str, part: str, instance: object) -> bool:
    """Whether `instance` fits the part (headers, payload) of a message of the document."""
    root = {
        "$ref": f"#/components/messages/{message}/{part}",
        "components": DOCUMENT["components"],
    }
    return bool(jsonschema.Draft202012Validator(root).is_valid(instance))


def test_the_files_of_the_project_are_what_the_models_say() -> None:
    assert drifted(DIRECTORY) == [], "run `python -m consumers.contracts.generate`"


def test_generating_twice_gives_the_same() -> None:
    assert generated_files() == generated_files()


def test_written_files_do_not_drift(tmp_path: Path) -> None:
    assert main(["--directory", str(tmp_path)]) == 0
    assert main(["--directory", str(tmp_path), "--check"]) == 0


def test_a_changed_file_drifts_and_the_check_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--directory", str(tmp_path)])
    (tmp_path / "asyncapi.json").write_text("{}")
    assert main(["--directory", str(tmp_path), "--check"]) == 1
    complaint = capsys.readouterr().err
    assert "asyncapi.json" in complaint
    assert "python -m consumers.contracts.generate" in complaint
    assert (tmp_path / "asyncapi.json").read_text() == "{}"


def test_a_missing_file_drifts(tmp_path: Path) -> None:
    assert drifted(tmp_path) == sorted(generated_files())


def test_a_schema_of_no_event_drifts(tmp_path: Path) -> None:
    main(["--directory", str(tmp_path)])
    (tmp_path / "schemas" / "of.no.event.json").write_text("{}")
    assert drifted(tmp_path) == ["schemas/of.no.event.json"]


@pytest.mark.parametrize(
    "contract", [*READ_CONTRACTS, *SENT_CONTRACTS], ids=lambda contract: contract.event.name
)
def test_every_event_has_a_valid_schema_of_its_name(contract: Contract[BaseModel]) -> None:
    assert f"schemas/{contract.event.name}.json" in generated_files()
    jsonschema.Draft202012Validator.check_schema(
        DOCUMENT["components"]["schemas"][contract.event.name]
    )


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    references = _references(DOCUMENT)
    assert references
    for reference in references:
        assert _follow(reference)


@pytest.mark.parametrize("contract", READ_CONTRACTS, ids=lambda contract: contract.topic)
def test_every_topic_is_received_and_its_dead_letters_are_sent(
    contract: Contract[BaseModel],
) -> None:
    dlq = f"{contract.topic}.dlq"
    assert DOCUMENT["channels"][contract.topic]["address"] == contract.topic
    assert DOCUMENT["channels"][dlq]["address"] == dlq
    assert ACTIONS[f"#/channels/{contract.topic}"] == "receive"
    assert ACTIONS[f"#/channels/{dlq}"] == "send"


def test_the_topic_of_announcements_is_sent_with_all_its_events() -> None:
    assert ACTIONS["#/channels/report-status"] == "send"
    messages = DOCUMENT["channels"]["report-status"]["messages"]
    assert set(messages) == {contract.event.name for contract in SENT_CONTRACTS}
    assert "report-status.dlq" not in DOCUMENT["channels"]


@pytest.mark.parametrize(("contract", "data"), GOOD)
def test_a_good_event_fits_the_messages_of_both_modes(
    contract: ClaimContract, data: dict[str, Any]
) -> None:
    headers = {name: value.decode() for name, value in binary(b"", contract).headers}
    event = {**attributes(contract), "data": data}
    assert _is_valid(f"{contract.topic}.binary", "headers", headers)
    assert _is_valid(f"{contract.topic}.binary", "payload", data)
    assert _is_valid(f"{contract.topic}.structured", "payload", event)


@pytest.mark.parametrize("name", attributes())
def test_an_event_without_a_required_attribute_fits_neither_mode(name: str) -> None:
    headers = {key: value.decode() for key, value in binary(b"").headers if key != f"ce_{name}"}
    event = {**attributes(), "data": AHCIP_SUBMITTED}
    del event[name]
    assert not _is_valid("claim-submitted.binary", "headers", headers)
    assert not _is_valid("claim-submitted.structured", "payload", event)


def test_the_headers_of_a_dead_letter_fit_its_message() -> None:
    letter = refused(binary(b"no JSON"))
    headers = {name: value.decode() for name, value in dead_letter_headers(letter, "claims")}
    assert _is_valid("claim-submitted.dlq", "headers", headers)
    for name in (name for name in headers if name.startswith("dlq-")):
        without = {other: value for other, value in headers.items() if other != name}
        assert not _is_valid("claim-submitted.dlq", "headers", without)


def test_the_header_of_a_copy_fits_where_copies_go_and_where_they_die() -> None:
    letter_id = LetterId("claim-submitted", 2, 1042, 1_768_581_001_250)
    record = binary(b"no JSON")
    sent = copy_headers(Original(*letter_id, None, b"no JSON", record.headers), 1)
    dead = dead_letter_headers(refused(replace(record, headers=sent)), "claims")
    for message, own in (("binary", sent), ("dlq", dead)):
        headers = {name: value.decode() for name, value in own}
        assert headers[REDRIVE_OF] == "claim-submitted:2:1042:1768581001250"
        assert _is_valid(f"claim-submitted.{message}", "headers", headers)
        headers[REDRIVE_OF] = "claim-submitted"
        assert not _is_valid(f"claim-submitted.{message}", "headers", headers)
