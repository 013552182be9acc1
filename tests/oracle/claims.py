"""`claims`: what each claim is now, by the event with its highest version."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypedDict
from uuid import UUID

from tests.oracle.fields import Parse, day, day_in_alberta, moment, money, parsed, texts, uuid

Claim = dict[str, Any]  # the columns of `claims`
Version = tuple[UUID, int]  # (claim_id, claim_version): the business identity of an event


class PlainEvent(TypedDict):
    """An accepted event: its CloudEvents type, and its data as on the wire or as Python values."""

    type: str
    data: Mapping[str, Any]


STATE_OF_TYPE: Final = {
    "ca.meritum.claim.submitted.v1": "SUBMITTED",
    "ca.meritum.claim.paid.v1": "PAID",
    "ca.meritum.claim.assessed.v1": "ASSESSED",
    "ca.meritum.claim.rejected.v1": "REJECTED",
    "ca.meritum.claim.adjusted.v1": "ADJUSTED",
    "ca.meritum.claim.written-off.v1": "WRITTEN_OFF",
    "ca.meritum.claim.expired.v1": "EXPIRED",
    "ca.meritum.claim.withdrawn.v1": "WITHDRAWN",
}
SAVED_TYPE: Final = "ca.meritum.claim.saved.v1"  # its state is its stage

UNSENT: Final = ("DRAFT", "VALIDATED", "QUEUED")
SENT: Final = ("SUBMITTED", "ASSESSED", "PAID", "REJECTED", "ADJUSTED")
SENT_AGAIN: Final = ("SUBMITTED", "ASSESSED", "PAID", "ADJUSTED")


# Claim events: data. What every claim event carries ...
COMMON: Final[dict[str, Parse]] = {
    "claim_id": uuid,
    "claim_version": int,
    "provider_id": uuid,
    "claim_type": str,
    "date_of_service": day,
    "patient_phn": str,
    "ba_number": str,
    "location_id": uuid,
    "hsc_code": str,
    "modifiers": texts,
    "form_id": str,
    "timing_tier": str,
    "submitted_fee": money,
}
# ... and what each type adds, by the state that it leaves the claim in.
SAVED: Final[dict[str, Parse]] = {"created_at": moment, "submission_deadline": day}
PAID: Final[dict[str, Parse]] = {"assessed_fee": money, "payment_date": day, "rrnp_premium": money}
CODES: Final[dict[str, Parse]] = {"explanatory_codes": texts}
ADDED: Final[dict[str, dict[str, Parse]]] = {
    **dict.fromkeys(UNSENT, SAVED),
    "SUBMITTED": {"submitted_at": moment, "submission_deadline": day},
    "ASSESSED": {"assessed_fee": money, **CODES},
    "PAID": PAID,
    "REJECTED": {**CODES, "submission_deadline": day},
    "ADJUSTED": {**PAID, **CODES},
    "WRITTEN_OFF": {},
    "EXPIRED": {},
    "WITHDRAWN": {},
}
DEFAULTS: Final[dict[str, object]] = {
    "modifiers": [],
    "rrnp_premium": "0",
    "explanatory_codes": [],
}


def current_claims(events: Iterable[PlainEvent]) -> dict[UUID, Claim]:
    """Each claim as its event with the highest version leaves it; order and repetition are void."""
    history = _history(events)
    versions_of: dict[UUID, dict[int, Claim]] = {}
    for (claim_id, version), claim in history.items():
        versions_of.setdefault(claim_id, {})[version] = claim
    return {
        claim_id: versions[max(versions)] | facts(versions)
        for claim_id, versions in versions_of.items()
    }


def facts(versions: Mapping[int, Claim]) -> Claim:
    """What the whole history of a claim says, those events too that came too late."""

    def in_state(states: Iterable[str]) -> list[int]:
        return [version for version, claim in versions.items() if claim["state"] in states]

    return {
        "first_sent_version": min(in_state(SENT), default=None),
        "first_rejected_version": min(in_state(["REJECTED"]), default=None),
        "last_sent_version": max(in_state(SENT_AGAIN), default=None),
    }


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
    data = event["data"]
    state = data["stage"] if event["type"] == SAVED_TYPE else STATE_OF_TYPE[event["type"]]
    claim: Claim = {"state": state, "explanatory_codes": [], "created_day": None}
    for fields in (COMMON, *ADDED.values()):
        # A column that the event's type does not have is None, but for the codes.
        claim |= dict.fromkeys(fields.keys() - claim.keys())
    claim |= parsed(data, COMMON | ADDED[state], DEFAULTS)
    if claim["created_at"] is not None:
        claim["created_day"] = day_in_alberta(claim["created_at"])
    return claim
