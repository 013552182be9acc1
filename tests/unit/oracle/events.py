"""Claim events for cases worked out by hand: a plain one, and what is to be different in it."""

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
