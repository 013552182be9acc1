"""Kafka records made by hand: good events, and the same with one thing changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.contracts.claims import SentClaim
from consumers.contracts.decode import decode
from consumers.contracts.refusal import DeadLetter
from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from repositories.claims.rows import ClaimEventRow

CONTRACTS = {contract.topic: contract for contract in CLAIM_CONTRACTS}
SUBMITTED, PAID = CONTRACTS["claim-submitted"], CONTRACTS["claim-paid"]
STRUCTURED = "application/cloudevents+json"
EVENT_TIME = "2026-01-16T16:30:01Z"


@dataclass(frozen=True)
class KafkaRecord:
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    topic: str = "claims-in"
    partition: int = 3
    offset: int = 42
    timestamp: int = 1_768_581_001_250
    key: bytes | None = b"any key"


_CLAIM: dict[str, Any] = {
    "claim_id": "5a17c0de-0000-4000-8000-000000000001",
    "claim_version": 1,
    "provider_id": "7d1c0b52-6a0e-4f6e-9c55-1f0d1b7a2c01",
    "submitted_fee": "25.09",
    "date_of_service": "2026-01-15",
    "patient_phn": "123456780",
    "location_id": "0f4e2d1c-9b8a-4765-8321-0fedcba98703",
}
_AHCIP = {
    "claim_type": "AHCIP",
    "ba_number": "1234567",
    "hsc_code": "13.99 BA",
    "modifiers": ["CMGP01", "AFTER"],
    "form_id": None,
    "timing_tier": None,
}
_WCB: dict[str, Any] = {
    "claim_type": "WCB",
    "ba_number": None,
    "hsc_code": None,
    "modifiers": [],
    "form_id": "C050E",
    "timing_tier": "ON_TIME",
}
_SENT = {"submitted_at": "2026-01-16T09:30:00.5-07:00", "submission_deadline": "2026-04-15"}
_BEGUN = {
    "stage": "VALIDATED",
    "created_at": "2026-01-16T06:59:59.25Z",
    "submission_deadline": "2026-04-15",
}
_CODES = {"explanatory_codes": ["39A", "01", "39A"]}
_MONEY_CAME = {"assessed_fee": "24.00", "payment_date": "2026-02-06", "rrnp_premium": "1.50"}

AHCIP_SUBMITTED: dict[str, Any] = {**_CLAIM, **_AHCIP, **_SENT}
WCB_SUBMITTED: dict[str, Any] = {**_CLAIM, **_WCB, **_SENT}
AHCIP_PAID: dict[str, Any] = {**_CLAIM, **_AHCIP, **_MONEY_CAME}
WCB_PAID: dict[str, Any] = {**_CLAIM, **_WCB, **_MONEY_CAME}
_UNFINISHED = dict.fromkeys(("ba_number", "hsc_code", "form_id", "submitted_fee"))
# What each event adds to the claim.
_ADDED: dict[str, dict[str, Any]] = {
    "claim-submitted": _SENT,
    "claim-paid": _MONEY_CAME,
    "claim-saved": _BEGUN,
    "claim-assessed": {"assessed_fee": "24.00", **_CODES},
    "claim-rejected": {**_CODES, "submission_deadline": "2026-04-15"},
    "claim-adjusted": {**_MONEY_CAME, **_CODES},
    "claim-written-off": {},
    "claim-expired": {},
    "claim-withdrawn": {},
}
# Every event of both claim types, and unfinished where it may be that.
GOOD: list[tuple[ClaimContract, dict[str, Any]]] = [
    (contract, {**_CLAIM, **of_its_type, **_ADDED[topic], **unfinished})
    for topic, contract in CONTRACTS.items()
    for of_its_type in (_AHCIP, _WCB)
    for unfinished in ([{}] if issubclass(contract.data, SentClaim) else [{}, _UNFINISHED])
]
AHCIP = {contract.topic: data for contract, data in reversed(GOOD)}  # the first of each topic


def attributes(contract: ClaimContract = SUBMITTED) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "e0000000-0000-4000-8000-000000000001",
        "source": "/meritum/billing",
        "type": contract.event.name,
        "time": EVENT_TIME,
    }


def binary(
    value: bytes | None,
    contract: ClaimContract = SUBMITTED,
    **changed: str | bytes | None,
) -> KafkaRecord:
    """A record in binary mode; `changed` attributes (or `content_type`), None to leave one out."""
    texts = {**attributes(contract), "content_type": "application/json", **changed}
    headers = [
        (_header_name(name), text if isinstance(text, bytes) else text.encode())
        for name, text in texts.items()
        if text is not None
    ]
    return KafkaRecord(value, headers)


def _header_name(name: str) -> str:
    return "content-type" if name == "content_type" else f"ce_{name}"


def structured(event: object, content_type: str = STRUCTURED) -> KafkaRecord:
    return KafkaRecord(json.dumps(event).encode(), [("content-type", content_type.encode())])


def with_literal(data: Mapping[str, Any], field: str, literal: str) -> bytes:
    """The data as JSON, with `field` written exactly as `literal`."""
    members = {name: json.dumps(value) for name, value in data.items()} | {field: literal}
    return ("{" + ", ".join(f'"{name}": {text}' for name, text in members.items()) + "}").encode()


def accepted(record: KafkaRecord, contract: ClaimContract = SUBMITTED) -> ClaimEventRow:
    outcome = decode(record, contract)
    assert isinstance(outcome, ClaimEventRow), outcome
    return outcome


def refused(record: KafkaRecord, contract: ClaimContract = SUBMITTED) -> DeadLetter:
    outcome = decode(record, contract)
    assert isinstance(outcome, DeadLetter), outcome
    assert outcome.record is record
    return outcome
