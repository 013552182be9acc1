"""CloudEvents 1.0 on Kafka, written by hand from the protocol binding: binary and structured."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from service.simulator.claims import Claim

SOURCE: Final = "/alberta/claims"
TOPIC_KEY_SUBMITTED: Final = "claim-submitted"
TOPIC_KEY_PAID: Final = "claim-paid"
EVENT_TYPES: Final = {
    TOPIC_KEY_SUBMITTED: "ca.meritum.claim.submitted.v1",
    TOPIC_KEY_PAID: "ca.meritum.claim.paid.v1",
}

_TYPE_HEADERS: Final = {key: text.encode() for key, text in EVENT_TYPES.items()}
_SPECVERSION: Final = ("ce_specversion", b"1.0")
_SOURCE_HEADER: Final = ("ce_source", SOURCE.encode())
_JSON: Final = ("content-type", b"application/json")
_CLOUDEVENTS_JSON: Final = ("content-type", b"application/cloudevents+json")
# One encoder for all: json.dumps with options builds a new one for every call.
_encode_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
    """One Kafka message; `topic_key` is the topic's canonical name, which settings may rename."""

    topic_key: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


class Change(NamedTuple):
    """One change of a claim: the claim as it stood after it, ready to be published."""

    claim: Claim
    topic_key: str
    at: datetime
    data: dict[str, object]


def binary(change: Change, ce_id: str) -> OutgoingEvent:
    """Attributes in headers, the data as the value."""
    headers = [
        _SPECVERSION,
        ("ce_id", ce_id.encode()),
        _SOURCE_HEADER,
        ("ce_type", _TYPE_HEADERS[change.topic_key]),
        ("ce_time", change.at.isoformat(timespec="milliseconds").encode()),
        _JSON,
    ]
    key = change.claim.provider.key
    return OutgoingEvent(change.topic_key, key, headers, encode_data(change.data))


def structured(change: Change, ce_id: str) -> OutgoingEvent:
    """The whole event as the value."""
    event: dict[str, object] = {
        "specversion": "1.0",
        "id": ce_id,
        "source": SOURCE,
        "type": EVENT_TYPES[change.topic_key],
        "time": change.at.isoformat(timespec="milliseconds"),
        "datacontenttype": "application/json",
        "data": change.data,
    }
    key = change.claim.provider.key
    return OutgoingEvent(change.topic_key, key, [_CLOUDEVENTS_JSON], encode_data(event))


def encode_data(data: dict[str, object]) -> bytes:
    return _encode_json(data).encode()
