"""The rules of `events.md` for the data of claim events and of the coach, checked one by one."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

WCB_FORMS: Final = frozenset({"C050E", "C050S", "C151", "C151S", "C568", "C568A", "C569", "C570"})
TIMING_TIERS: Final = frozenset({"SAME_DAY", "ON_TIME", "LATE"})
LARGEST_VERSION: Final = 2**63 - 1
STAGES: Final = frozenset({"DRAFT", "VALIDATED", "QUEUED"})
WORDS_OF_THE_COACH: Final = frozenset(
    {"GENERATED", "ACCEPTED", "DISMISSED", "SUPPRESSED", "UNSUPPRESSED", "REJECTION_FEEDBACK"}
)

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


def is_list(most: int, rule: Rule) -> Rule:
    def check(value: object) -> bool:
        return isinstance(value, list) and len(value) <= most and all(map(rule, value))

    return check


def is_word(words: frozenset[str]) -> Rule:
    return lambda value: isinstance(value, str) and value in words


def is_tier(value: object) -> bool:
    return type(value) is int and 1 <= value <= 3


def or_null(rule: Rule) -> Rule:
    return lambda value: value is None or rule(value)


COMMON: Final[dict[str, Rule]] = {
    "claim_id": is_uuid,
    "claim_version": is_version,
    "provider_id": is_uuid,
    "claim_type": is_word(frozenset({"AHCIP", "WCB"})),
    "date_of_service": is_date,
    "patient_phn": or_null(is_phn),
    "ba_number": or_null(is_text(10)),
    "location_id": or_null(is_uuid),
    "hsc_code": or_null(is_text(10)),
    "modifiers": or_null(is_list(3, is_text(6))),
    "form_id": or_null(is_word(WCB_FORMS)),
    "timing_tier": or_null(is_word(TIMING_TIERS)),
    "submitted_fee": is_money,
}
# A draft is unfinished, and can end so.
UNFINISHED: Final[dict[str, Rule]] = COMMON | {"submitted_fee": or_null(is_money)}
PAID: Final[dict[str, Rule]] = {
    "assessed_fee": is_money,
    "payment_date": is_date,
    "rrnp_premium": or_null(is_money),
}
CODES: Final[dict[str, Rule]] = {"explanatory_codes": or_null(is_list(50, is_text(10)))}
DEADLINE: Final[dict[str, Rule]] = {"submission_deadline": or_null(is_date)}
SUGGESTION: Final[dict[str, Rule]] = {
    "event_id": is_uuid,
    "suggestion_id": is_uuid,
    "claim_id": is_uuid,
    "provider_id": is_uuid,
    "rule_id": or_null(is_uuid),
    "rule_name": or_null(is_text(200)),
    "category": is_text(50),
    "tier": is_tier,
    "event_type": is_word(WORDS_OF_THE_COACH),
    "revenue_impact": or_null(is_money),
    "created_at": is_time,
}
RULES: Final[dict[str, dict[str, Rule]]] = {
    "ca.meritum.claim.saved.v1": {
        **UNFINISHED,
        "stage": is_word(STAGES),
        "created_at": is_time,
        **DEADLINE,
    },
    "ca.meritum.claim.submitted.v1": {**COMMON, "submitted_at": is_time, **DEADLINE},
    "ca.meritum.claim.assessed.v1": {**COMMON, "assessed_fee": is_money, **CODES},
    "ca.meritum.claim.paid.v1": {**COMMON, **PAID},
    "ca.meritum.claim.rejected.v1": {**COMMON, **CODES, **DEADLINE},
    "ca.meritum.claim.adjusted.v1": {**COMMON, **PAID, **CODES},
    "ca.meritum.claim.written-off.v1": UNFINISHED,
    "ca.meritum.claim.expired.v1": UNFINISHED,
    "ca.meritum.claim.withdrawn.v1": UNFINISHED,
    "ca.meritum.ai.suggestion.v1": SUGGESTION,
}


def broken_rules(event_type: str, data: Data, occurred_at: datetime) -> list[str]:
    """What is wrong with an event's data; nothing when it is one that must be accepted."""
    if event_type not in RULES:
        return [f"unknown type {event_type}"]
    rules = RULES[event_type]
    # A field that may be null may be absent too.
    missing = [name for name, rule in rules.items() if name not in data and not rule(None)]
    wrong = [name for name, rule in rules.items() if name in data and not rule(data[name])]
    if missing or wrong:
        return [*(f"{name} is missing" for name in missing), *(f"{name} is bad" for name in wrong)]
    if rules is SUGGESTION:
        return []
    dated = {name: data[name] for name, rule in rules.items() if rule is is_date}
    finished = rules["submitted_fee"] is is_money
    return [*_broken_by_type(data, finished), *_broken_dates(dated, occurred_at)]


def _broken_by_type(data: Data, finished: bool) -> list[str]:
    if data["claim_type"] == "WCB":
        needed, alien = ["form_id"], []
    else:
        needed, alien = ["ba_number", "hsc_code"], ["form_id", "timing_tier"]
    lacking = [name for name in needed if finished and data.get(name) is None]
    return [
        *(f"{name} is required for {data['claim_type']}" for name in lacking),
        *(f"{name} is null for AHCIP" for name in alien if data.get(name) is not None),
    ]


def _broken_dates(data: Data, occurred_at: datetime) -> list[str]:
    served = date.fromisoformat(data["date_of_service"])
    broken = []
    if not date(2000, 1, 1) <= served <= occurred_at.astimezone(UTC).date() + timedelta(days=1):
        broken.append("date_of_service is out of range")
    if "payment_date" in data and date.fromisoformat(data["payment_date"]) < served:
        broken.append("payment_date is before date_of_service")
    return broken
