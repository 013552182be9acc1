"""The rules of `events.md` for the data of a claim event, checked one by one."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

WCB_FORMS: Final = frozenset({"C050E", "C050S", "C151", "C151S", "C568", "C568A", "C569", "C570"})
TIMING_TIERS: Final = frozenset({"SAME_DAY", "ON_TIME", "LATE"})
LARGEST_VERSION: Final = 2**63 - 1

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MONEY: Final = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PHN: Final = re.compile(r"[0-9]{9}")

Data = Mapping[str, Any]
Rule = Callable[[Any], bool]


def is_uuid(value: object) -> bool:
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


def is_money(value: object) -> bool:
    """As text; the wire allows a JSON number too, which loses its spelling when it is parsed."""
    return isinstance(value, str) and bool(_MONEY.fullmatch(value))


def is_version(value: object) -> bool:
    return type(value) is int and 1 <= value <= LARGEST_VERSION


def is_phn(value: object) -> bool:
    return isinstance(value, str) and bool(_PHN.fullmatch(value))


def is_date(value: object) -> bool:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def is_time(value: object) -> bool:
    """RFC 3339 with an offset, in the years 2000 to 2100."""
    if not isinstance(value, str) or "T" not in value:
        return False
    try:
        time = datetime.fromisoformat(value)
    except ValueError:
        return False
    return time.tzinfo is not None and 2000 <= time.astimezone(UTC).year <= 2100


def is_text(most: int) -> Rule:
    """Not empty, not too long, nothing that PostgreSQL would refuse."""

    def check(value: object) -> bool:
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            return False
        return not any(mark == "\0" or "\ud800" <= mark <= "\udfff" for mark in value)

    return check


def is_modifiers(value: object) -> bool:
    return isinstance(value, list) and len(value) <= 3 and all(map(is_text(6), value))


def or_null(rule: Rule) -> Rule:
    return lambda value: value is None or rule(value)


COMMON: Final[dict[str, Rule]] = {
    "claim_id": is_uuid,
    "claim_version": is_version,
    "provider_id": is_uuid,
    "claim_type": frozenset({"AHCIP", "WCB"}).__contains__,
    "date_of_service": is_date,
    "patient_phn": or_null(is_phn),
    "ba_number": or_null(is_text(10)),
    "location_id": or_null(is_uuid),
    "hsc_code": or_null(is_text(10)),
    "modifiers": is_modifiers,
    "form_id": or_null(WCB_FORMS.__contains__),
    "timing_tier": or_null(TIMING_TIERS.__contains__),
    "submitted_fee": is_money,
}
ADDED: Final[dict[str, dict[str, Rule]]] = {
    "ca.meritum.claim.submitted.v1": {
        "submitted_at": is_time,
        "submission_deadline": or_null(is_date),
    },
    "ca.meritum.claim.paid.v1": {
        "assessed_fee": is_money,
        "payment_date": is_date,
        "rrnp_premium": is_money,
    },
}
DEFAULTS: Final[dict[str, object]] = {"modifiers": [], "rrnp_premium": "0"}


def broken_rules(event_type: str, data: Data, occurred_at: datetime) -> list[str]:
    """What is wrong with an event's data; nothing when it is one that must be accepted."""
    if event_type not in ADDED:
        return [f"unknown type {event_type}"]
    rules = COMMON | ADDED[event_type]
    missing = [name for name in rules if name not in data and name not in DEFAULTS]
    given = {**DEFAULTS, **data}
    wrong = [name for name, rule in rules.items() if name in given and not rule(given[name])]
    if missing or wrong:
        return [*(f"{name} is missing" for name in missing), *(f"{name} is bad" for name in wrong)]
    dated = {name: data[name] for name, rule in rules.items() if rule is is_date}
    return [*_broken_by_type(data), *_broken_dates(dated, occurred_at)]


def _broken_by_type(data: Data) -> list[str]:
    if data["claim_type"] == "WCB":
        return [] if data["form_id"] is not None else ["form_id is required for WCB"]
    required = [name for name in ("ba_number", "hsc_code") if data[name] is None]
    alien = [name for name in ("form_id", "timing_tier") if data[name] is not None]
    return [
        *(f"{name} is required for AHCIP" for name in required),
        *(f"{name} is null for AHCIP" for name in alien),
    ]


def _broken_dates(data: Data, occurred_at: datetime) -> list[str]:
    served = date.fromisoformat(data["date_of_service"])
    broken = []
    if not date(2000, 1, 1) <= served <= occurred_at.astimezone(UTC).date() + timedelta(days=1):
        broken.append("date_of_service is out of range")
    if "payment_date" in data and date.fromisoformat(data["payment_date"]) < served:
        broken.append("payment_date is before date_of_service")
    return broken
