"""`claims`: what each claim is now, by the event with its highest version."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, TypedDict
from uuid import UUID

Claim = dict[str, Any]  # the columns of `claims`
Version = tuple[UUID, int]  # (claim_id, claim_version): the business identity of an event


class PlainEvent(TypedDict):
    """An accepted event: its CloudEvents type, and its data as on the wire or as Python values."""

    type: str
    data: Mapping[str, Any]


STATE_OF_TYPE: Final = {
    "ca.meritum.claim.submitted.v1": "SUBMITTED",
    "ca.meritum.claim.paid.v1": "PAID",
}


def _uuid(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _money(value: object) -> Decimal:
    if isinstance(value, float):
        raise TypeError("money in binary floating point: parse JSON with parse_float=Decimal")
    return Decimal(str(value))


def _date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _time(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _texts(value: Any) -> list[str]:
    return [str(text) for text in value]


Parse = Callable[[Any], object]

# Claim events: data. What every claim event carries ...
COMMON: Final[dict[str, Parse]] = {
    "claim_id": _uuid,
    "claim_version": int,
    "provider_id": _uuid,
    "claim_type": str,
    "date_of_service": _date,
    "patient_phn": str,
    "ba_number": str,
    "location_id": _uuid,
    "hsc_code": str,
    "modifiers": _texts,
    "form_id": str,
    "timing_tier": str,
    "submitted_fee": _money,
}
# ... and what each type adds.
ADDED: Final[dict[str, dict[str, Parse]]] = {
    "SUBMITTED": {"submitted_at": _time, "submission_deadline": _date},
    "PAID": {"assessed_fee": _money, "payment_date": _date, "rrnp_premium": _money},
}
DEFAULTS: Final[dict[str, object]] = {"modifiers": [], "rrnp_premium": "0"}


def current_claims(events: Iterable[PlainEvent]) -> dict[UUID, Claim]:
    """Each claim as its event with the highest version leaves it; order and repetition are void."""
    history = _history(events)
    newest: dict[UUID, Claim] = {}
    for (claim_id, version), claim in history.items():
        if claim_id not in newest or version > newest[claim_id]["claim_version"]:
            newest[claim_id] = claim
    return newest


def accepted_versions(events: Iterable[PlainEvent]) -> set[Version]:
    """The keys of `claim_events`: every event once, those that came too late as well."""
    return set(_history(events))


def _history(events: Iterable[PlainEvent]) -> dict[Version, Claim]:
    """Every event once. Raises ValueError for a set that breaks the publisher's contract."""
    history: dict[Version, Claim] = {}
    provider_of: dict[UUID, UUID] = {}
    for event in events:
        claim = _claim_after(event)
        identity = (claim["claim_id"], claim["claim_version"])
        if history.setdefault(identity, claim) != claim:
            raise ValueError(f"two contents for claim {identity[0]} version {identity[1]}")
        if provider_of.setdefault(identity[0], claim["provider_id"]) != claim["provider_id"]:
            raise ValueError(f"two providers for claim {identity[0]}")
    return history


def _claim_after(event: PlainEvent) -> Claim:
    state = STATE_OF_TYPE[event["type"]]
    claim: Claim = {"state": state}
    for fields in (COMMON, *ADDED.values()):
        claim |= dict.fromkeys(fields)  # a column that the event's type does not have is None
    for name, parse in (COMMON | ADDED[state]).items():
        value = event["data"].get(name, DEFAULTS.get(name))
        claim[name] = None if value is None else parse(value)
    return claim
