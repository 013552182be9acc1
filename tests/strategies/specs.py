"""An event as its publisher knows it, and the shapes that the layers want it in."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

from repositories.calendar import day_in_alberta
from repositories.claims.rows import ClaimEventRow
from repositories.suggestions.rows import SuggestionRow
from repositories.vocabulary import ClaimState, ClaimType, FormId, SuggestionEvent, TimingTier
from tests.oracle import PlainEvent

SAVED: Final = "ca.meritum.claim.saved.v1"
SUBMITTED: Final = "ca.meritum.claim.submitted.v1"
ASSESSED: Final = "ca.meritum.claim.assessed.v1"
PAID: Final = "ca.meritum.claim.paid.v1"
REJECTED: Final = "ca.meritum.claim.rejected.v1"
ADJUSTED: Final = "ca.meritum.claim.adjusted.v1"
WRITTEN_OFF: Final = "ca.meritum.claim.written-off.v1"
EXPIRED: Final = "ca.meritum.claim.expired.v1"
WITHDRAWN: Final = "ca.meritum.claim.withdrawn.v1"
SUGGESTION: Final = "ca.meritum.ai.suggestion.v1"

STATES: Final = {
    SUBMITTED: ClaimState.SUBMITTED,
    ASSESSED: ClaimState.ASSESSED,
    PAID: ClaimState.PAID,
    REJECTED: ClaimState.REJECTED,
    ADJUSTED: ClaimState.ADJUSTED,
    WRITTEN_OFF: ClaimState.WRITTEN_OFF,
    EXPIRED: ClaimState.EXPIRED,
    WITHDRAWN: ClaimState.WITHDRAWN,
}
WITH_PREMIUM: Final = (PAID, ADJUSTED)

T = TypeVar("T")


@dataclass(frozen=True)
class EventSpec:
    """An event as its publisher knows it; `data` holds JSON values as on the wire."""

    event_type: str
    data: dict[str, Any]
    ce_time: str  # RFC 3339
    ce_id: str

    @property
    def identity(self) -> tuple[str, int]:
        """The business identity: claim and version; `event_id` and 0 of the coach's events."""
        if self.event_type == SUGGESTION:
            return self.data["event_id"], 0
        return self.data["claim_id"], self.data["claim_version"]

    @property
    def state(self) -> ClaimState:
        """What the claim is after it."""
        return (
            ClaimState(self.data["stage"]) if self.event_type == SAVED else STATES[self.event_type]
        )


def to_plain(spec: EventSpec) -> PlainEvent:
    """For the oracle."""
    return {"type": spec.event_type, "data": spec.data}


def to_message(spec: EventSpec) -> tuple[list[tuple[str, bytes]], bytes]:
    """Headers and value of the Kafka message, in CloudEvents' binary mode."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": spec.ce_id,
        "ce_source": "/tests",
        "ce_type": spec.event_type,
        "ce_time": spec.ce_time,
        "content-type": "application/json",
    }
    headers = [(name, text.encode()) for name, text in attributes.items()]
    return headers, json.dumps(spec.data).encode()


def to_row(spec: EventSpec, topic: str, partition: int, offset: int) -> ClaimEventRow:
    """The row that a right decoder makes of the event, to feed the repositories without one."""
    data = spec.data
    created_at = _or_none(datetime.fromisoformat, data.get("created_at"))
    return ClaimEventRow(
        claim_id=UUID(data["claim_id"]),
        claim_version=data["claim_version"],
        provider_id=UUID(data["provider_id"]),
        state=spec.state,
        claim_type=ClaimType(data["claim_type"]),
        date_of_service=date.fromisoformat(data["date_of_service"]),
        patient_phn=data["patient_phn"],
        ba_number=data["ba_number"],
        location_id=_or_none(UUID, data["location_id"]),
        hsc_code=data["hsc_code"],
        modifiers=data.get("modifiers", []),
        form_id=_or_none(FormId, data["form_id"]),
        timing_tier=_or_none(TimingTier, data["timing_tier"]),
        submitted_fee=_or_none(Decimal, data["submitted_fee"]),
        submitted_at=_or_none(datetime.fromisoformat, data.get("submitted_at")),
        submission_deadline=_or_none(date.fromisoformat, data.get("submission_deadline")),
        assessed_fee=_or_none(Decimal, data.get("assessed_fee")),
        payment_date=_or_none(date.fromisoformat, data.get("payment_date")),
        rrnp_premium=(
            Decimal(data.get("rrnp_premium", "0")) if spec.event_type in WITH_PREMIUM else None
        ),
        explanatory_codes=data.get("explanatory_codes", []),
        created_at=created_at,
        created_day=_or_none(day_in_alberta, created_at),
        occurred_at=datetime.fromisoformat(spec.ce_time),
        source_topic=topic,
        source_partition=partition,
        source_offset=offset,
    )


def to_suggestion_row(spec: EventSpec, topic: str, partition: int, offset: int) -> SuggestionRow:
    """As `to_row`, of an event of the AI coach."""
    data = spec.data
    created_at = datetime.fromisoformat(data["created_at"])
    return SuggestionRow(
        event_id=UUID(data["event_id"]),
        suggestion_id=UUID(data["suggestion_id"]),
        claim_id=UUID(data["claim_id"]),
        provider_id=UUID(data["provider_id"]),
        rule_id=_or_none(UUID, data["rule_id"]),
        rule_name=data["rule_name"],
        category=data["category"],
        tier=data["tier"],
        event_type=SuggestionEvent(data["event_type"]),
        revenue_impact=_or_none(Decimal, data["revenue_impact"]),
        created_at=created_at,
        created_day=day_in_alberta(created_at),
        occurred_at=datetime.fromisoformat(spec.ce_time),
        source_topic=topic,
        source_partition=partition,
        source_offset=offset,
    )


def _or_none(parse: Callable[[Any], T], value: Any) -> T | None:
    return None if value is None else parse(value)
