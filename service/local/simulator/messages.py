"""CloudEvents 1.0 on Kafka, written by hand from the protocol binding; and messages spoiled."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Final, NamedTuple

from service.local.simulator.claims import Claim
from service.local.simulator.providers import uuid_text

SOURCE: Final = "/alberta/claims"
SAVED: Final = "claim-saved"
SUBMITTED: Final = "claim-submitted"
ASSESSED: Final = "claim-assessed"
PAID: Final = "claim-paid"
REJECTED: Final = "claim-rejected"
ADJUSTED: Final = "claim-adjusted"
WRITTEN_OFF: Final = "claim-written-off"
EXPIRED: Final = "claim-expired"
WITHDRAWN: Final = "claim-withdrawn"
SUGGESTION: Final = "ai-suggestion"
# By the topic's canonical name. A draft can end as well as a claim that was sent.
MAY_BE_UNFINISHED: Final = frozenset({SAVED, WRITTEN_OFF, EXPIRED, WITHDRAWN})
CLAIM_TOPICS: Final = (
    *(SAVED, SUBMITTED, ASSESSED, PAID, REJECTED, ADJUSTED),
    *(WRITTEN_OFF, EXPIRED, WITHDRAWN),
)
EVENT_TYPES: Final = {
    **{topic: f"ca.meritum.claim.{topic.removeprefix('claim-')}.v1" for topic in CLAIM_TOPICS},
    SUGGESTION: "ca.meritum.ai.suggestion.v1",
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
    """One change of a claim, as it stood after it, or a suggestion about it; to be published."""

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


class _Spoiling(NamedTuple):
    """What an event cannot be without, and values that it cannot have."""

    required: tuple[str, ...]
    bad_values: tuple[tuple[str, object], ...]


_OF_CLAIMS: Final = _Spoiling(
    ("claim_id", "claim_version", "provider_id", "claim_type", "submitted_fee"),
    (
        ("claim_version", "1"),
        ("claim_version", 0),
        ("date_of_service", "2025-02-30"),
        ("date_of_service", "1999-12-31"),
        ("patient_phn", "12345678"),
        ("submitted_fee", "12.345"),
        ("submitted_fee", "-1.00"),
        ("claim_type", "PRIVATE"),
        ("modifiers", ["CMGP01", "AGE", "TEV", "TELES"]),
    ),
)
_OF_DRAFTS: Final = _OF_CLAIMS._replace(required=_OF_CLAIMS.required[:-1])
_OF_SUGGESTIONS: Final = _Spoiling(
    ("event_id", "suggestion_id", "claim_id", "provider_id", "category", "tier", "created_at"),
    (
        ("event_id", "1"),
        ("tier", 4),
        ("tier", "1"),
        ("category", ""),
        ("event_type", "FORGOTTEN"),
        ("revenue_impact", "-1.00"),
        ("created_at", "2025-06-18"),
    ),
)
_DAMAGES: Final = (
    *("cut short", "without a field", "with a bad value"),
    *("of unknown type", "of the next version", "no CloudEvent"),
)


def make_garbage(rng: Random, change: Change) -> tuple[str, OutgoingEvent]:
    """The reason of its dead letter, and a message that was a good event until it was spoiled."""
    damage = rng.choice(_DAMAGES)
    event = binary(change, uuid_text(rng))
    data, headers = dict(change.data), dict(event.headers)
    required, bad_values = _spoiling(change.topic_key)
    if damage == "cut short":
        return "not-json", replace(event, value=event.value[: len(event.value) // 2])
    if damage == "without a field":
        del data[rng.choice(required)]
        return "invalid-field", replace(event, value=encode_data(data))
    if damage == "with a bad value":
        name, value = rng.choice(bad_values)
        return "invalid-field", replace(event, value=encode_data({**data, name: value}))
    if damage == "of unknown type":
        reason, headers["ce_type"] = "unknown-type", b"ca.meritum.claim.mislaid.v1"
    elif damage == "of the next version":
        later = headers["ce_type"].removesuffix(b"v1") + b"v2"
        reason, headers["ce_type"] = "unsupported-version", later
    else:
        reason = "not-cloudevent"
        headers = {name: text for name, text in headers.items() if not name.startswith("ce_")}
    return reason, replace(event, headers=list(headers.items()))


def _spoiling(topic_key: str) -> _Spoiling:
    if topic_key == SUGGESTION:
        return _OF_SUGGESTIONS
    return _OF_DRAFTS if topic_key in MAY_BE_UNFINISHED else _OF_CLAIMS
