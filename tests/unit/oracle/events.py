"""Events for cases worked out by hand: a plain one, and what is to be different in it."""

from datetime import date
from typing import Any
from uuid import UUID

from tests.oracle import PlainEvent, Value, tables

PROVIDER = UUID(int=1)
LOCATION = UUID(int=7)
OCTOBER = date(2025, 10, 1), date(2025, 10, 31)


def common(claim: int, version: int, changed: dict[str, Any]) -> dict[str, Any]:
    return {
        "claim_id": str(UUID(int=claim)),
        "claim_version": version,
        "provider_id": str(PROVIDER),
        "claim_type": "AHCIP",
        "date_of_service": "2025-10-15",
        "patient_phn": "123456789",
        "ba_number": "1234567",
        "location_id": str(LOCATION),
        "hsc_code": "03.04A",
        "modifiers": [],
        "form_id": None,
        "timing_tier": None,
        "submitted_fee": "40.00",
    } | changed


def submitted(claim: int, version: int = 1, /, **changed: Any) -> PlainEvent:
    own = {"submitted_at": "2025-10-16T15:00:00-06:00", "submission_deadline": "2026-01-13"}
    data = common(claim, version, own | changed)
    return {"type": "ca.meritum.claim.submitted.v1", "data": data}


def paid(claim: int, version: int = 2, /, **changed: Any) -> PlainEvent:
    own = {"assessed_fee": "40.00", "payment_date": "2025-10-24", "rrnp_premium": "0"}
    data = common(claim, version, own | changed)
    return {"type": "ca.meritum.claim.paid.v1", "data": data}


def saved(claim: int, version: int = 1, /, stage: str = "DRAFT", **changed: Any) -> PlainEvent:
    own = {"created_at": "2025-10-15T18:00:00Z", "submission_deadline": "2026-01-13"}
    data = common(claim, version, {"stage": stage} | own | changed)
    return {"type": "ca.meritum.claim.saved.v1", "data": data}


def assessed(claim: int, version: int = 2, /, **changed: Any) -> PlainEvent:
    data = common(claim, version, {"assessed_fee": "38.00"} | changed)
    return {"type": "ca.meritum.claim.assessed.v1", "data": data}


def rejected(claim: int, version: int = 2, /, *codes: str, **changed: Any) -> PlainEvent:
    own = {"explanatory_codes": list(codes), "submission_deadline": "2026-01-13"}
    data = common(claim, version, own | changed)
    return {"type": "ca.meritum.claim.rejected.v1", "data": data}


def adjusted(claim: int, version: int = 3, /, **changed: Any) -> PlainEvent:
    data = paid(claim, version, **({"explanatory_codes": []} | changed))["data"]
    return {"type": "ca.meritum.claim.adjusted.v1", "data": data}


def ended(how: str, claim: int, version: int = 3, /, **changed: Any) -> PlainEvent:
    """`how` is written-off, expired or withdrawn."""
    data = common(claim, version, changed)
    return {"type": f"ca.meritum.claim.{how}.v1", "data": data}


def suggestion(number: int, event_type: str = "ACCEPTED", /, **changed: Any) -> PlainEvent:
    data = {
        "event_id": str(UUID(int=number)),
        "suggestion_id": str(UUID(int=1)),
        "claim_id": str(UUID(int=1)),
        "provider_id": str(PROVIDER),
        "rule_id": str(UUID(int=3)),
        "rule_name": "Modifier missing",
        "category": "MODIFIER",
        "tier": 1,
        "event_type": event_type,
        "revenue_impact": "10.00",
        "created_at": "2025-10-15T18:00:00Z",
    }
    return {"type": "ca.meritum.ai.suggestion.v1", "data": data | changed}


def wcb(**changed: Any) -> dict[str, Any]:
    kind = {"claim_type": "WCB", "form_id": "C050E", "timing_tier": "SAME_DAY"}
    absent = {"ba_number": None, "hsc_code": None, "location_id": None}
    return kind | absent | changed


def rows(*events: PlainEvent, metric: str) -> dict[str | None, Value]:
    """A metric's October rows, by the value of their dimension (None at the top level)."""
    found: dict[str | None, Value] = {}
    for key, value in tables(events).analytics_cache.items():
        if key.metric_key == metric:
            assert (key.provider_id, key.period_start, key.period_end) == (PROVIDER, *OCTOBER)
            found[key.dimensions[0][1] if key.dimensions else None] = value
    return found


def days(*events: PlainEvent, metric: str) -> dict[tuple[str, str | None], Value]:
    """A metric's rows by day and by the value of their dimension (None at the top level)."""
    found: dict[tuple[str, str | None], Value] = {}
    for key, value in tables(events).analytics_cache.items():
        if key.metric_key == metric:
            assert key.period_start == key.period_end
            dimension = key.dimensions[0][1] if key.dimensions else None
            found[key.period_start.isoformat(), dimension] = value
    return found
