"""JSON literals that each field takes and refuses, one table for models and schemas."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from consumers.contracts.registry import ClaimContract
from repositories.vocabulary import ClaimType, FormId, TimingTier
from tests.unit.consumers.records import (
    AHCIP_PAID,
    AHCIP_SUBMITTED,
    PAID,
    SUBMITTED,
    WCB_SUBMITTED,
)

_UUID = "5a17c0de-0000-4000-8000-00000000000a"
_FEE_LITERALS = {
    '"0"': "0",
    '"25.09"': "25.09",
    '"25.9"': "25.9",
    '"007.50"': "7.5",
    '"99999999.99"': "99999999.99",
    "0": "0",
    "7": "7",
    "12.50": "12.50",
    "99999999.99": "99999999.99",
}
_BAD_FEES = [
    "null",
    "true",
    '""',
    '" 1"',
    '"1 "',
    '"1\\n"',
    '"1,00"',
    '"1."',
    '".5"',
    '"+1"',
    '"-1"',
    '"1e2"',
    '"NaN"',
    '"Infinity"',
    '"12.345"',
    '"100000000"',
    '"\uff11\uff12"',
    '"1_0"',
    "-0",
    "-1",
    "1e2",
    "1E2",
    "0.5e1",
    "12.345",
    "12.500",
    "100000000",
    "1" * 5000,
    "[]",
    "{}",
]
_GOOD_TEXTS = {
    '"x"': "x",
    '" "': " ",
    '"13.99 BA"': "13.99 BA",
    '"\\ud83d\\ude00"': "😀",
    '"a\\nb"': "a\nb",
    "null": None,
}
_BAD_TEXTS = ['""', '"a\\u0000b"', '"\\ud800"', '"a\\udfffb"', "1", "1.5", "true", "[]", "{}"]
_BAD_IDS = [
    '""',
    '"5a17c0de000040008000000000000001"',
    '"{5a17c0de-0000-4000-8000-000000000001}"',
    '"urn:uuid:5a17c0de-0000-4000-8000-000000000001"',
    '"5a17c0de-0000-4000-8000-00000000000g"',
    '"5a17c0de-0000-4000-8000-00000000000\uff11"',
    '"5a17c0de-0000-4000-80000-00000000001"',
    '"5a17c0de-0000-4000-8000-000000000001 "',
    "1",
    "true",
    "[]",
]
_BAD_DATES = [
    '""',
    '"20260115"',
    '"2026-1-5"',
    '"2026-W03-4"',
    '"2026-02-30"',
    '"2026-13-01"',
    '"2026-01-15T00:00:00"',
    '"2026-01-15 "',
    '"\uff12\uff10\uff12\uff16-01-15"',
    '"1999-12-31"',
    '"2101-01-01"',
    '"9999-12-31"',
    '"0000-01-01"',
    '"1768435200"',
    "20260115",
    "1768435200",
    "true",
]
_BAD_TIMES = [
    '""',
    "null",
    '"2026-01-16"',
    '"2026-01-16T09:30:00"',
    '"2026-01-16 09:30:00Z"',
    '"2026-01-16T09:30Z"',
    '"2026-01-16T09:30:00+0700"',
    '"2026-01-16T24:00:00Z"',
    '"2026-01-16T23:59:60Z"',
    '"2026-01-16T09:30:00,5Z"',
    '"2026-01-16T09:30:00.Z"',
    '"2026-01-16T09:30:00+05:75"',
    '"2026-01-16T09:30:00+24:00"',
    '"2026-01-16T09:30:00Z "',
    '"1999-12-31T23:59:59Z"',
    '"2101-01-01T00:00:00Z"',
    '"0001-01-01T00:00:00+23:00"',
    '"9999-12-31T23:59:59-23:00"',
    "1768435200",
    "true",
]


class Case(NamedTuple):
    contract: ClaimContract
    base: dict[str, Any]
    field: str
    good: dict[str, Any]  # literal → what it becomes
    bad: list[str]


_FEES = {literal: Decimal(value) for literal, value in _FEE_LITERALS.items()}
_DATES = {'"2026-01-15"': date(2026, 1, 15), '"2024-02-29"': date(2024, 2, 29)}
_IDS = {f'"{_UUID}"': UUID(_UUID), f'"{_UUID.upper()}"': UUID(_UUID)}

CASES = [
    Case(SUBMITTED, AHCIP_SUBMITTED, "claim_id", _IDS, [*_BAD_IDS, "null"]),
    Case(SUBMITTED, AHCIP_SUBMITTED, "provider_id", _IDS, [*_BAD_IDS, "null"]),
    Case(SUBMITTED, AHCIP_SUBMITTED, "location_id", {**_IDS, "null": None}, _BAD_IDS),
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
    Case(SUBMITTED, AHCIP_SUBMITTED, "date_of_service", _DATES, [*_BAD_DATES, "null"]),
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
        {**_GOOD_TEXTS, '"1234567890"': "1234567890"},
        [*_BAD_TEXTS, '"12345678901"'],
    ),
    Case(
        SUBMITTED,
        WCB_SUBMITTED,
        "hsc_code",
        {**_GOOD_TEXTS, '"1234567890"': "1234567890"},
        [*_BAD_TEXTS, '"12345678901"'],
    ),
    Case(
        SUBMITTED,
        AHCIP_SUBMITTED,
        "modifiers",
        {"[]": [], '["CMGP01", "B", "C"]': ["CMGP01", "B", "C"]},
        [
            "null",
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
    Case(SUBMITTED, AHCIP_SUBMITTED, "submitted_fee", _FEES, _BAD_FEES),
    Case(
        SUBMITTED,
        AHCIP_SUBMITTED,
        "submitted_at",
        {
            '"2026-01-16T09:30:00Z"': datetime(2026, 1, 16, 9, 30, tzinfo=UTC),
            '"2026-01-16t09:30:00z"': datetime(2026, 1, 16, 9, 30, tzinfo=UTC),
            '"2026-01-16T23:30:00-07:00"': datetime(2026, 1, 17, 6, 30, tzinfo=UTC),
            '"2026-01-16T09:30:00.1234567Z"': datetime(2026, 1, 16, 9, 30, 0, 123456, tzinfo=UTC),
            '"2101-01-01T00:00:00+01:00"': datetime(2100, 12, 31, 23, tzinfo=UTC),
        },
        _BAD_TIMES,
    ),
    Case(
        SUBMITTED,
        AHCIP_SUBMITTED,
        "submission_deadline",
        {**_DATES, "null": None},
        _BAD_DATES,
    ),
    Case(PAID, AHCIP_PAID, "assessed_fee", _FEES, _BAD_FEES),
    Case(
        PAID,
        AHCIP_PAID,
        "payment_date",
        {'"2026-01-15"': date(2026, 1, 15), '"2100-12-31"': date(2100, 12, 31)},
        [*_BAD_DATES, "null"],
    ),
    Case(PAID, AHCIP_PAID, "rrnp_premium", _FEES, _BAD_FEES),
]

# What the schemas do not refuse: how a number is written, which dates exist (formats are only
# notes to most validators), the range of a time in UTC, lone surrogates; and a newline at the end,
# since jsonschema's patterns are Python's, whose `$` matches before it.
BEYOND_SCHEMA = {
    '"2026-02-30"',
    '"1\\n"',
    "-0",
    "1e2",
    "1E2",
    "0.5e1",
    "1.0",
    "1e0",
    "12.345",
    "12.500",
    '"1999-12-31T23:59:59Z"',
    '"2101-01-01T00:00:00Z"',
    '"0001-01-01T00:00:00+23:00"',
    '"9999-12-31T23:59:59-23:00"',
    '"\\ud800"',
    '"a\\udfffb"',
    '["\\ud800"]',
}
