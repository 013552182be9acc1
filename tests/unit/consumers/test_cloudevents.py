import json
from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.contracts.refusal import DeadLetterReason
from tests.unit.consumers.records import (
    AHCIP_SUBMITTED,
    GOOD,
    STRUCTURED,
    SUBMITTED,
    KafkaRecord,
    accepted,
    attributes,
    binary,
    refused,
    structured,
)

VALUE = json.dumps(AHCIP_SUBMITTED).encode()
EVENT = {**attributes(), "data": AHCIP_SUBMITTED}
ATTRIBUTES = ["specversion", "id", "source", "type", "time"]


def _without(name: str) -> dict[str, Any]:
    return {member: value for member, value in EVENT.items() if member != name}


@pytest.mark.parametrize(("contract", "data"), GOOD)
def test_both_modes_give_the_same_row(contract: Any, data: dict[str, Any]) -> None:
    in_binary = binary(json.dumps(data).encode(), contract)
    in_structured = structured({**attributes(contract), "data": data})
    assert accepted(in_structured, contract) == accepted(in_binary, contract)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "application/json",
        "Application/JSON",
        "application/json; charset=UTF-8",
        " application/json ;x=y",
        "application/vnd.meritum.claim+json",
        "application/vnd.meritum.claim+JSON; v=1",
    ],
)
def test_binary_data_is_json_by_its_media_type_or_without_one(content_type: str | None) -> None:
    accepted(binary(VALUE, content_type=content_type))


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "application/jsonp", "json", b"\xff"]
)
def test_binary_data_of_another_media_type_is_not_json(content_type: str | bytes) -> None:
    letter = refused(binary(VALUE, content_type=content_type))
    assert letter.reason == DeadLetterReason.NOT_JSON
    assert letter.detail.startswith("content-type: ")


@pytest.mark.parametrize(
    "content_type",
    [STRUCTURED, "Application/CloudEvents+JSON", f"{STRUCTURED}; charset=UTF-8", f"{STRUCTURED} ;"],
)
def test_structured_mode_is_known_by_its_media_type(content_type: str) -> None:
    accepted(structured(EVENT, content_type))


def test_a_message_with_ce_specversion_is_binary_whatever_its_content_type() -> None:
    accepted(binary(VALUE, content_type=STRUCTURED))


@pytest.mark.parametrize("datacontenttype", [None, "application/json", "application/X+JSON; a=b"])
def test_structured_data_may_say_that_it_is_json(datacontenttype: str | None) -> None:
    accepted(structured({**EVENT, "datacontenttype": datacontenttype}))


@pytest.mark.parametrize("datacontenttype", ["text/csv", "", 7, [], "\ud800"])
def test_structured_data_that_says_otherwise_is_not_json(datacontenttype: object) -> None:
    letter = refused(structured({**EVENT, "datacontenttype": datacontenttype}))
    assert letter.reason == DeadLetterReason.NOT_JSON


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("content-type", b"application/json")],
        [("content-type", b"application/cloudevents-batch+json")],
        [("Content-Type", STRUCTURED.encode())],
        [("ce_id", b"1"), ("ce_type", b"ca.meritum.claim.submitted.v1")],
    ],
)
def test_a_message_in_neither_mode_is_no_cloudevent(headers: list[tuple[str, bytes]]) -> None:
    letter = refused(KafkaRecord(json.dumps(EVENT).encode(), headers))
    assert letter.reason == DeadLetterReason.NOT_CLOUDEVENT


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("text", [None, "", b"\xff"], ids=["absent", "empty", "not UTF-8"])
def test_a_required_header_that_is_no_text_is_named(name: str, text: str | bytes | None) -> None:
    changed: dict[str, Any] = {name: text}
    letter = refused(binary(VALUE, **changed))
    assert letter.reason == DeadLetterReason.NOT_CLOUDEVENT
    if (name, text) != ("specversion", None):  # then the mode is not known at all
        assert letter.detail.startswith(f"CloudEvents attribute {name}: must be ")


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_required_header_without_a_value_counts_as_missing(name: str) -> None:
    nothing: Any = None
    record = binary(VALUE)
    letter = refused(KafkaRecord(VALUE, [*record.headers, (f"ce_{name}", nothing)]))
    assert letter.reason == DeadLetterReason.NOT_CLOUDEVENT
    assert letter.detail.startswith(f"CloudEvents attribute {name}: must be ")


@pytest.mark.parametrize("name", ATTRIBUTES)
@pytest.mark.parametrize("value", [None, "", 7, True, [], {}, "\ud800"], ids=ascii)
def test_a_required_member_that_is_no_text_is_named(name: str, value: object) -> None:
    letter = refused(structured({**EVENT, name: value}))
    assert letter.reason == DeadLetterReason.NOT_CLOUDEVENT
    assert letter.detail.startswith(f"CloudEvents attribute {name}: must be ")


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_a_required_member_that_is_missing_is_named(name: str) -> None:
    letter = refused(structured(_without(name)))
    assert letter.reason == DeadLetterReason.NOT_CLOUDEVENT
    assert letter.detail.startswith(f"CloudEvents attribute {name}: must be ")


@pytest.mark.parametrize("specversion", ["0.3", "1", "1.1", "1.0 ", "2.0"])
def test_only_cloudevents_1_0_is_read(specversion: str) -> None:
    letter = refused(binary(VALUE, specversion=specversion))
    assert letter.reason == DeadLetterReason.NOT_CLOUDEVENT
    assert letter.detail == "CloudEvents attribute specversion: must be 1.0"


def test_of_two_headers_with_one_name_the_last_counts() -> None:
    headers = [("ce_type", b"something.else.v1"), *binary(VALUE).headers]
    accepted(KafkaRecord(VALUE, headers))


@pytest.mark.parametrize("major", ["0", "01", "2", "10", "999999999999999999999"])
def test_another_major_version_is_not_guessed_at(major: str) -> None:
    letter = refused(binary(VALUE, type=f"ca.meritum.claim.submitted.v{major}"))
    assert letter.reason == DeadLetterReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize(
    "name",
    [
        "ca.meritum.claim.paid.v1",
        "ca.meritum.claim.paid.v2",
        "ca.meritum.claim.submitted",
        "ca.meritum.claim.submitted.v",
        "ca.meritum.claim.submitted.v1.1",
        "ca.meritum.claim.submitted.vtwo",
        "ca.meritum.claim.submitted.v\uff12",
        "ca.meritum.claim.submitted.v²",
        "CA.meritum.claim.submitted.v1",
        "x.ca.meritum.claim.submitted.v2",
        " ca.meritum.claim.submitted.v1",
    ],
)
def test_a_type_that_this_topic_does_not_carry_is_unknown(name: str) -> None:
    assert refused(binary(VALUE, type=name)).reason == DeadLetterReason.UNKNOWN_TYPE
    assert refused(structured({**EVENT, "type": name})).reason == DeadLetterReason.UNKNOWN_TYPE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("1999-12-31T17:00:00-07:00", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2100-12-31T23:59:59.999999999Z", datetime(2100, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-06-01t12:00:00.5+05:30", datetime(2026, 6, 1, 6, 30, 0, 500000, tzinfo=UTC)),
        ("2026-06-01T12:00:00-00:00", datetime(2026, 6, 1, 12, tzinfo=UTC)),
    ],
)
def test_the_events_own_time_is_kept_in_utc(text: str, expected: datetime) -> None:
    value = json.dumps({**AHCIP_SUBMITTED, "date_of_service": "2000-01-01"}).encode()
    row = accepted(binary(value, time=text))
    assert row.occurred_at == expected
    assert row.occurred_at.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "1999-12-31T23:59:59Z",
        "2101-01-01T00:00:00Z",
        "2100-12-31T23:59:59-00:01",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
    ],
)
def test_a_time_outside_the_years_2000_to_2100_is_an_invalid_field(text: str) -> None:
    letter = refused(binary(VALUE, time=text))
    assert letter.reason == DeadLetterReason.INVALID_FIELD
    assert letter.detail.startswith("CloudEvents attribute time: must ")


@pytest.mark.parametrize(
    "text", ["2026-01-16T16:30:01", "2026-01-16", "now", "2026-01-16T16:30:60Z", "20260116T163001Z"]
)
def test_a_time_that_is_not_rfc_3339_makes_no_cloudevent(text: str) -> None:
    letter = refused(binary(VALUE, time=text))
    assert letter.reason == DeadLetterReason.NOT_CLOUDEVENT
    assert letter.detail.startswith("CloudEvents attribute time: must be ")


@pytest.mark.parametrize("value", [None, b""])
def test_a_message_without_a_value_is_not_json(value: bytes | None) -> None:
    in_structured = KafkaRecord(value, structured(EVENT).headers)
    for record in (binary(value), in_structured):
        assert refused(record).reason == DeadLetterReason.NOT_JSON


def test_a_structured_event_without_data_is_not_json() -> None:
    assert refused(structured(_without("data"))).reason == DeadLetterReason.NOT_JSON


@pytest.mark.parametrize("data", [None, [], "text", 7])
def test_structured_data_that_is_no_object_is_an_invalid_field(data: object) -> None:
    letter = refused(structured({**EVENT, "data": data}))
    assert letter.reason == DeadLetterReason.INVALID_FIELD


@pytest.mark.parametrize("event", [None, [], [EVENT], "text", 7, True])
def test_a_structured_value_that_is_no_object_is_no_cloudevent(event: object) -> None:
    assert refused(structured(event)).reason == DeadLetterReason.NOT_CLOUDEVENT


def test_the_name_of_the_topic_does_not_matter() -> None:
    record = KafkaRecord(VALUE, binary(VALUE).headers, topic="a.setting.may.say.so")
    assert accepted(record, SUBMITTED).source_topic == "a.setting.may.say.so"
