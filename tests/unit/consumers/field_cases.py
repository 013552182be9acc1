"""JSON literals that each field takes and refuses, one table for models and schemas."""

import json
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from consumers.contracts.registry import ClaimContract
from repositories.vocabulary import UNSENT_STATES, ClaimType, FormId, TimingTier
from tests.unit.consumers.literals import (
    BAD_DATES,
    BAD_FEES,
    BAD_IDS,
    BAD_TEXTS,
    BAD_TIMES,
    DATES,
    FEES,
    FIFTY,
    GOOD_TEXTS,
    IDS,
    TIMES,
)
from tests.unit.consumers.records import (
    AHCIP,
    AHCIP_PAID,
    AHCIP_SUBMITTED,
    CONTRACTS,
    PAID,
    SUBMITTED,
    WCB_SUBMITTED,
)


def _not_null(literals: list[str]) -> list[str]:
    return [literal for literal in literals if literal != "null"]


class Case(NamedTuple):
    contract: ClaimContract
    base: dict[str, Any]
    field: str
    good: dict[str, Any]  # literal → what it becomes
    bad: list[str]


SAVED, REJECTED = CONTRACTS["claim-saved"], CONTRACTS["claim-rejected"]
AHCIP_SAVED, AHCIP_REJECTED = AHCIP["claim-saved"], AHCIP["claim-rejected"]
WCB_SAVED = {**AHCIP_SAVED, "claim_type": "WCB"}
CASES = [
    Case(SUBMITTED, AHCIP_SUBMITTED, "claim_id", IDS, [*BAD_IDS, "null"]),
    Case(SUBMITTED, AHCIP_SUBMITTED, "provider_id", IDS, [*BAD_IDS, "null"]),
    Case(SUBMITTED, AHCIP_SUBMITTED, "location_id", {**IDS, "null": None}, BAD_IDS),
    Case(
        SUBMITTED,
        AHCIP_SUBMITTED,
        "claim_version",
        {"1": 1, "9223372036854775807": 2**63 - 1},
        ["0", "-1", "1.0", "1e0", "true", '"1"', "null", "9223372036854775808", "1" * 5000, "[]"],
    ),
    Case(
        SUBMITTED,
        AHCIP_SUBMITTED,
        "claim_type",
        {'"AHCIP"': ClaimType.AHCIP},
        ['"ahcip"', '"OTHER"', '""', "null", "true", "1", "[]", "{}", '"AHCIP\\ud800"'],
    ),
    Case(SUBMITTED, AHCIP_SUBMITTED, "date_of_service", DATES, [*BAD_DATES, "null"]),
    Case(
        SUBMITTED,
        AHCIP_SUBMITTED,
        "patient_phn",
        {'"012345678"': "012345678", "null": None},
        [
            '"12345678"',
            '"1234567890"',
            '"12345678a"',
            '"\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19"',
            "123456789",
            '""',
        ],
    ),
    Case(
        SUBMITTED,
        WCB_SUBMITTED,
        "ba_number",
        {**GOOD_TEXTS, '"1234567890"': "1234567890"},
        [*BAD_TEXTS, '"12345678901"'],
    ),
    Case(
        SUBMITTED,
        WCB_SUBMITTED,
        "hsc_code",
        {**GOOD_TEXTS, '"1234567890"': "1234567890"},
        [*BAD_TEXTS, '"12345678901"'],
    ),
    Case(
        SUBMITTED,
        AHCIP_SUBMITTED,
        "modifiers",
        {"[]": [], "null": [], '["CMGP01", "B", "C"]': ["CMGP01", "B", "C"]},
        [
            '"CMGP01"',
            "{}",
            '["A", "B", "C", "D"]',
            '["CMGP012"]',
            '[""]',
            "[null]",
            "[1]",
            '["\\u0000"]',
            '["\\ud800"]',
        ],
    ),
    Case(
        SUBMITTED,
        WCB_SUBMITTED,
        "form_id",
        {f'"{form}"': form for form in FormId},
        ['"c050e"', '""', "1", "true", "[]"],
    ),
    Case(
        SUBMITTED,
        WCB_SUBMITTED,
        "timing_tier",
        {**{f'"{tier}"': tier for tier in TimingTier}, "null": None},
        ['"EARLY"', '""', "1", "true", "[]"],
    ),
    Case(SUBMITTED, AHCIP_SUBMITTED, "submitted_fee", FEES, BAD_FEES),
    Case(SUBMITTED, AHCIP_SUBMITTED, "submitted_at", TIMES, BAD_TIMES),
    Case(
        SUBMITTED,
        AHCIP_SUBMITTED,
        "submission_deadline",
        {**DATES, "null": None},
        BAD_DATES,
    ),
    Case(PAID, AHCIP_PAID, "assessed_fee", FEES, BAD_FEES),
    Case(
        PAID,
        AHCIP_PAID,
        "payment_date",
        {'"2026-01-15"': date(2026, 1, 15), '"2100-12-31"': date(2100, 12, 31)},
        [*BAD_DATES, "null"],
    ),
    Case(
        PAID,
        AHCIP_PAID,
        "rrnp_premium",
        {**FEES, "null": Decimal(0)},
        _not_null(BAD_FEES),
    ),
    Case(
        SAVED,
        AHCIP_SAVED,
        "stage",
        {f'"{state}"': state for state in UNSENT_STATES},
        ['"SUBMITTED"', '"draft"', '"DRAFT "', '"DRAFT\\n"', '""', "null", "1", "true", "[]"],
    ),
    Case(SAVED, AHCIP_SAVED, "created_at", TIMES, BAD_TIMES),
    Case(SAVED, AHCIP_SAVED, "submission_deadline", {**DATES, "null": None}, BAD_DATES),
    Case(SAVED, AHCIP_SAVED, "submitted_fee", {**FEES, "null": None}, _not_null(BAD_FEES)),
    Case(SAVED, AHCIP_SAVED, "ba_number", GOOD_TEXTS, [*BAD_TEXTS, '"12345678901"']),
    Case(SAVED, AHCIP_SAVED, "hsc_code", GOOD_TEXTS, [*BAD_TEXTS, '"12345678901"']),
    Case(
        SAVED,
        WCB_SAVED,
        "form_id",
        {**{f'"{form}"': form for form in FormId}, "null": None},
        ['"c050e"', '""', "1", "true", "[]"],
    ),
    Case(
        REJECTED,
        AHCIP_REJECTED,
        "explanatory_codes",
        {
            "[]": [],
            "null": [],
            '["39A", "01", "39A"]': ["39A", "01", "39A"],
            '["1234567890", "a b", "\\u00e9"]': ["1234567890", "a b", "é"],
            json.dumps(FIFTY): FIFTY,
        },
        [
            '"39A"',
            "{}",
            json.dumps([*FIFTY, "50"]),
            '["12345678901"]',
            '[""]',
            "[null]",
            "[39]",
            '[["39A"]]',
            '["\\u0000"]',
            '["\\ud800"]',
        ],
    ),
]
