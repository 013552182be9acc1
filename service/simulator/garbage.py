"""Messages that no consumer can use, each with the reason its dead letter must give."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from service.simulator.messages import Change, OutgoingEvent, binary, encode_data
from service.simulator.randomness import uuid_text

_REQUIRED: Final = ("claim_id", "claim_version", "provider_id", "claim_type", "submitted_fee")


def make_garbage(rng: Random, change: Change) -> tuple[str, OutgoingEvent]:
    """The reason of its dead letter, and a message that was a good event until it was spoiled."""
    reason, spoil = rng.choice(_KINDS)
    return reason, spoil(rng, change, binary(change, uuid_text(rng)))


def _cut_short(_rng: Random, _change: Change, event: OutgoingEvent) -> OutgoingEvent:
    return replace(event, value=event.value[: len(event.value) // 2])


def _without_a_field(rng: Random, change: Change, event: OutgoingEvent) -> OutgoingEvent:
    missing = rng.choice(_REQUIRED)
    data = {name: value for name, value in change.data.items() if name != missing}
    return replace(event, value=encode_data(data))


def _with_a_bad_value(rng: Random, change: Change, event: OutgoingEvent) -> OutgoingEvent:
    name, value = rng.choice(_BAD_VALUES)
    return replace(event, value=encode_data({**change.data, name: value}))


def _of_unknown_type(_rng: Random, _change: Change, event: OutgoingEvent) -> OutgoingEvent:
    return _with_type(event, b"ca.meritum.claim.mislaid.v1")


def _of_next_version(_rng: Random, _change: Change, event: OutgoingEvent) -> OutgoingEvent:
    own = dict(event.headers)["ce_type"]
    return _with_type(event, own.removesuffix(b"v1") + b"v2")


def _no_cloudevent(_rng: Random, _change: Change, event: OutgoingEvent) -> OutgoingEvent:
    headers = [header for header in event.headers if not header[0].startswith("ce_")]
    return replace(event, headers=headers)


def _with_type(event: OutgoingEvent, ce_type: bytes) -> OutgoingEvent:
    headers = [
        (name, ce_type) if name == "ce_type" else (name, value) for name, value in event.headers
    ]
    return replace(event, headers=headers)


_BAD_VALUES: Final[tuple[tuple[str, object], ...]] = (
    ("claim_version", "1"),
    ("claim_version", 0),
    ("date_of_service", "2025-02-30"),
    ("date_of_service", "1999-12-31"),
    ("patient_phn", "12345678"),
    ("submitted_fee", "12.345"),
    ("submitted_fee", "-1.00"),
    ("claim_type", "PRIVATE"),
    ("modifiers", ["CMGP01", "AGE", "TEV", "TELES"]),
)

_Spoil = Callable[[Random, Change, OutgoingEvent], OutgoingEvent]
_KINDS: Final[tuple[tuple[str, _Spoil], ...]] = (
    ("not-json", _cut_short),
    ("invalid-field", _without_a_field),
    ("invalid-field", _with_a_bad_value),
    ("unknown-type", _of_unknown_type),
    ("unsupported-version", _of_next_version),
    ("not-cloudevent", _no_cloudevent),
)
