"""CloudEvents 1.0 out of Kafka records, in binary and in structured content mode.

Both modes end in the same checks in the same order, so that an event has the same outcome
whichever way it is sent: attributes, type, range of the time, media type of the data, data.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from consumers.contracts.fields import OutOfRangeError, parse_time
from consumers.contracts.refusal import DeadLetterReason, Record, RefusedError
from consumers.contracts.strict_json import NotJsonError, parse_json

STRUCTURED = b"application/cloudevents+json"
JSON = b"application/json"
NOT_EMPTY = "text (UTF-8) that is not empty"

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

_Headers = Mapping[str, bytes | None]  # a header may have no value


@dataclass(frozen=True)
class EventType:
    """`base` without its version: `ca.meritum.claim.paid` in major version 1 is `….paid.v1`."""

    base: str
    major: int

    @cached_property
    def name(self) -> str:
        return f"{self.base}.v{self.major}"

    def is_in_another_version(self, name: str) -> bool:
        """Whether `name` is this event in a major version other than this one."""
        base, _, major = name.rpartition(".v")
        return base == self.base and name != self.name and major.isascii() and major.isdigit()


class CloudEvent(NamedTuple):
    """What is left of an event of the expected type: its own time, in UTC, and its data."""

    time: datetime
    data: object


class _Attributes(NamedTuple):
    """The required ones, as text that is not empty, or None where they are missing or no text."""

    specversion: str | None
    id: str | None
    source: str | None
    type: str | None
    time: str | None


def read_cloudevent(record: Record, expected: EventType) -> CloudEvent:
    """The record as an event of the expected type; else `RefusedError`.

    Where a header comes twice, the last counts, as everywhere in Kafka.
    """
    headers: _Headers = dict(record.headers)
    if "ce_specversion" in headers:
        return _read_binary(headers, record.value, expected)
    if _media_type(headers.get("content-type") or b"") == STRUCTURED:
        return _read_structured(record.value, expected)
    raise RefusedError(
        DeadLetterReason.NOT_CLOUDEVENT,
        "headers: must have ce_specversion, or a content-type of application/cloudevents+json",
    )


def _read_binary(headers: _Headers, value: bytes | None, expected: EventType) -> CloudEvent:
    attributes = _Attributes(
        _header_text(headers.get("ce_specversion")),
        _header_text(headers.get("ce_id")),
        _header_text(headers.get("ce_source")),
        _header_text(headers.get("ce_type")),
        _header_text(headers.get("ce_time")),
    )
    time = _checked_time(attributes, expected)
    content_type = headers.get("content-type")
    if content_type is not None and not _is_json(content_type):
        raise RefusedError(DeadLetterReason.NOT_JSON, "content-type: must be a JSON media type")
    return CloudEvent(time, _json(value))


def _read_structured(value: bytes | None, expected: EventType) -> CloudEvent:
    event = _json(value)
    if not isinstance(event, dict):
        raise RefusedError(DeadLetterReason.NOT_CLOUDEVENT, "value: must be a JSON object")
    attributes = _Attributes(*(_member_text(event.get(name)) for name in _Attributes._fields))
    time = _checked_time(attributes, expected)
    if not _says_json(event.get("datacontenttype")):
        raise RefusedError(DeadLetterReason.NOT_JSON, "datacontenttype: must be a JSON media type")
    if "data" not in event:
        raise RefusedError(DeadLetterReason.NOT_JSON, "data: must be there, as JSON")
    return CloudEvent(time, event["data"])


def _checked_time(attributes: _Attributes, expected: EventType) -> datetime:
    """The event's time, after every other required attribute and the type were found right."""
    if attributes.specversion != "1.0":
        raise _malformed("specversion", "1.0")
    if attributes.id is None:
        raise _malformed("id", NOT_EMPTY)
    if attributes.source is None:
        raise _malformed("source", NOT_EMPTY)
    if attributes.type is None:
        raise _malformed("type", NOT_EMPTY)
    _check_type(attributes.type, expected)
    return _time(attributes.time or "")


def _check_type(name: str, expected: EventType) -> None:
    if name == expected.name:
        return
    if expected.is_in_another_version(name):
        reason = DeadLetterReason.UNSUPPORTED_VERSION
    else:
        reason = DeadLetterReason.UNKNOWN_TYPE
    raise RefusedError(reason, f"CloudEvents attribute type: must be {expected.name}")


def _time(text: str) -> datetime:
    try:
        return parse_time(text)
    except OutOfRangeError:
        detail = "CloudEvents attribute time: must lie in the years 2000 to 2100 (UTC)"
        raise RefusedError(DeadLetterReason.INVALID_FIELD, detail) from None
    except ValueError:
        raise _malformed("time", "an RFC 3339 time with offset, no leap second") from None


def _malformed(attribute: str, rule: str) -> RefusedError:
    detail = f"CloudEvents attribute {attribute}: must be {rule}"
    return RefusedError(DeadLetterReason.NOT_CLOUDEVENT, detail)


def _header_text(raw: bytes | None) -> str | None:
    try:
        return raw.decode() if raw else None
    except UnicodeDecodeError:
        return None


def _member_text(value: object) -> str | None:
    if isinstance(value, str) and value and not _LONE_SURROGATE.search(value):
        return value
    return None


def _json(value: bytes | None) -> object:
    if not value:
        raise RefusedError(DeadLetterReason.NOT_JSON, "value: must not be empty")
    try:
        return parse_json(value)
    except NotJsonError as error:
        raise RefusedError(DeadLetterReason.NOT_JSON, f"value: {error}") from None


def _says_json(datacontenttype: object) -> bool:
    """Without a content type the data is JSON."""
    if datacontenttype is None:
        return True
    return isinstance(datacontenttype, str) and _is_json(datacontenttype.encode(errors="replace"))


def _is_json(content_type: bytes) -> bool:
    media_type = _media_type(content_type)
    return media_type == JSON or media_type.endswith(b"+json")


def _media_type(content_type: bytes) -> bytes:
    """Without its parameters (`; charset=UTF-8`) and in lower case."""
    return content_type.partition(b";")[0].strip().lower()
