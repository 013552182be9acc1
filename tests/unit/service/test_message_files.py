"""What `claim-analytics publish` makes of a line, and what it says of one that it cannot use."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.message_files import MessageFileError, read_messages
from service.settings import Settings

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/test",
    "type": "ca.meritum.claim.paid.v1",
    "time": "2026-01-01T00:00:00Z",
    "data": {"provider_id": "p", "ba_number": "12\u2028"},
}
SETTINGS = Settings.model_validate({"topic_claim_paid": "paid-here"})


def test_an_event_goes_to_the_topic_of_its_type_with_its_provider_as_key(tmp_path: Path) -> None:
    [message] = _read(tmp_path, EVENT | {"comment": "not sent"})
    assert (message.topic, message.key) == ("paid-here", b"p")
    assert json.loads(message.value or b"") == EVENT["data"]
    assert dict(message.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"1",
        "ce_source": b"/test",
        "ce_type": b"ca.meritum.claim.paid.v1",
        "ce_time": b"2026-01-01T00:00:00Z",
        "content-type": b"application/json",
    }


def test_a_raw_message_is_sent_as_it_stands(tmp_path: Path) -> None:
    headers = [["a", "x"], ["a", None], ["b", {"base64": "/w=="}]]
    raw = {"topic": "claim-paid", "key": None, "headers": headers, "value_base64": "AAE="}
    [message] = _read(tmp_path, raw)
    assert (message.topic, message.key, message.value) == ("paid-here", None, b"\x00\x01")
    assert message.headers == [("a", b"x"), ("a", None), ("b", b"\xff")]


def test_empty_lines_are_passed_over_and_a_line_ends_only_where_json_lines_do(
    tmp_path: Path,
) -> None:
    file = tmp_path / "events.jsonl"
    line = json.dumps(EVENT, ensure_ascii=False)  # U+2028 in it, which ends a line elsewhere
    file.write_bytes(f"\n{line}\r\n \n{line}".encode())
    assert len(read_messages(file, SETTINGS)) == 2


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{", "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b"[1]", "neither of the forms"),
        (b"7", "neither of the forms"),
        (b'{"specversion": "1.0"}', "lacks 'id'"),
        (json.dumps(EVENT | {"type": "x"}).encode(), "the type is none of"),
        (json.dumps(EVENT | {"data": {}}).encode(), "lacks 'provider_id'"),
        (b'{"topic": "clam-paid", "value": ""}', "did you mean claim-paid?"),
        (b'{"topic": "partitions", "value": ""}', "they are ai-suggestion, cache-"),
        (b'{"topic": "claim-paid"}', "lacks 'value'"),
        (b'{"topic": "claim-paid", "value": 1}', "neither of the forms"),
        (b'{"topic": "claim-paid", "value_base64": "?"}', "not base64"),
    ],
)
def test_a_line_that_is_no_message_is_named_with_what_is_wrong(
    line: bytes, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(json.dumps(EVENT).encode() + b"\n" + line)
    with pytest.raises(MessageFileError, match=r"events\.jsonl, line 2: ") as refused:
        read_messages(file, SETTINGS)
    assert said in str(refused.value)


def _read(folder: Path, line: dict[str, Any]) -> list[Any]:
    file = folder / "events.jsonl"
    file.write_text(json.dumps(line))
    return read_messages(file, SETTINGS)
