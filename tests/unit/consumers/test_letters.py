"""Which letter a message belongs to, whatever stands in it."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from consumers.contracts.letters import (
    REDRIVE_OF,
    copy_headers,
    ids_in,
    letter_id_of,
    letter_of,
    original_of,
    redrive_header,
    redrive_of,
)
from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.engine.dead_letters import dead_letter_headers
from repositories.operations.letters import LATEST_MS, LetterId
from tests.unit.consumers.records import AHCIP_PAID, KafkaRecord, structured

ORIGINAL = KafkaRecord(b"value", [("ce_id", b"\xff"), ("x", b"")], topic="claim-paid", offset=7)
OWN = LetterId("claim-paid", 3, 7, ORIGINAL.timestamp)
IDS = {name: UUID(AHCIP_PAID[name]) for name in ("claim_id", "provider_id")}


def dead(record: KafkaRecord) -> DeadLetter:
    return DeadLetter(DeadLetterReason.NOT_JSON, "value: must be JSON", record)


def as_copy(headers: list[tuple[str, bytes]]) -> KafkaRecord:
    return replace(ORIGINAL, partition=0, offset=99, timestamp=1, headers=headers)


def test_a_message_there_and_back_and_there_again_stays_the_letter_that_it_was() -> None:
    headers: list[tuple[str, bytes]] = list(ORIGINAL.headers)
    for redrives in range(3):
        record = as_copy(headers) if redrives else ORIGINAL
        assert letter_id_of(record) == OWN
        assert letter_of(dead(record), "group").is_copy == bool(redrives)
        on_its_way = dead_letter_headers(dead(record), "group")
        assert dict(on_its_way)["dlq-attempts"] == b"%d" % (redrives + 1)
        lying = replace(as_copy(on_its_way), topic="claim-paid.dlq")
        original = original_of(lying, OWN)
        assert original
        assert (original.key, original.value) == (ORIGINAL.key, ORIGINAL.value)
        assert list(original.headers) == ORIGINAL.headers
        assert original_of(lying, OWN._replace(timestamp=5)) is None
        headers = copy_headers(original, redrives + 1)
    assert original_of(ORIGINAL, OWN) is not None
    assert original_of(replace(ORIGINAL, timestamp=5), OWN) is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff\xfe",
        b"claim-paid:3:7",
        b"claim-paid:3:7:5:9",
        b"claim-paid:3:-7:5",
        b"claim-paid:3:" + b"9" * 30 + b":5",
        b"claim-paid:x:7:5",
        "claim-paid:٣:7:5".encode(),
        b"another-topic:3:7:5",
    ],
)
def test_a_header_that_names_no_letter_of_the_topic_makes_no_copy(value: Any) -> None:
    record = as_copy([(REDRIVE_OF, value)])
    assert redrive_of(record) is None
    assert not letter_of(dead(record), "group").is_copy


def test_only_the_last_header_makes_a_copy() -> None:
    assert redrive_of(as_copy([redrive_header(OWN), ("later", b"")])) is None
    assert redrive_of(as_copy([redrive_header(OWN)])) == OWN


@pytest.mark.parametrize(("stamped", "kept"), [(-1, -1), (-(2**60), -1), (2**63 - 1, LATEST_MS)])
def test_timestamps_that_no_row_can_hold_are_cut(stamped: int, kept: int) -> None:
    letter_id = letter_id_of(replace(ORIGINAL, timestamp=stamped))
    assert letter_id.timestamp == kept
    assert LetterId.of_row(*letter_id[:3], letter_id.moment) == letter_id
    assert redrive_of(as_copy([redrive_header(letter_id)])) == letter_id


def test_ids_are_found_in_both_modes_and_beside_anything_that_is_wrong() -> None:
    broken = {**AHCIP_PAID, "submitted_fee": [[]], "claim_version": 10**400}
    assert ids_in(json.dumps(broken).encode()) == {**IDS, "report_id": None}
    event = structured({"specversion": "1.0", "data": broken})
    assert ids_in(event.value) == {**IDS, "report_id": None}


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xff",
        b"[1]",
        b'"text"',
        b'{"data": 7}',
        b'{"claim_id": 7}',
        b'{"claim_id": "not a UUID, though it has its length"}',
        b'{"claim_id": "123456789"}',
        b'{"claim_id": ["5a17c0de-0000-4000-8000-000000000001"]}',
        b"[" * 100_000,
        b'{"data": ' * 100_000,
    ],
)
def test_what_is_no_uuid_is_no_id(value: bytes | None) -> None:
    assert not any(ids_in(value).values())
