"""The types of the fields of events, each with its rule as a sentence.

The sentence is the field's `description`: it appears in the JSON Schema and in the detail of a
dead letter, after "must be".
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field
from pydantic_core import core_schema

from consumers.contracts.json_forms import JsonForm, call, decimal_of, listed, number_then, text_of
from consumers.contracts.rfc3339 import RFC3339_PATTERN, parse_time
from consumers.contracts.strict_json import JsonNumber
from repositories.vocabulary import ClaimType, FormId, TimingTier

MAX_VERSION = 2**63 - 1  # PostgreSQL's bigint
MAX_MONEY = 99_999_999.99  # numeric(10,2)


def _integer(number: JsonNumber) -> int:
    if not _VERSION_LITERAL.fullmatch(number.literal):
        raise ValueError("no positive integer of a bigint's length")
    return int(number.literal)


_VERSION_LITERAL = re.compile(r"[1-9][0-9]{0,18}")

_UUID_RULE = "a UUID as text in its canonical form of 36 characters"
_UUID_PATTERN = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
Uuid = Annotated[
    UUID,
    text_of(_UUID_PATTERN, core_schema.uuid_schema(strict=False), format="uuid"),
    Field(description=_UUID_RULE),
]
NullableUuid = Annotated[Uuid | None, Field(description=f"{_UUID_RULE}, or null")]

Version = Annotated[
    int,
    JsonForm(
        number_then(_integer, core_schema.int_schema(le=MAX_VERSION)),
        {"type": "integer", "minimum": 1, "maximum": MAX_VERSION},
    ),
    Field(description="an integer from 1 to 2^63 - 1, written without a fraction or an exponent"),
]

# Dates are bounded like times. Without that, 9999-12-31 would reach PostgreSQL as `infinity`
# (asyncpg means it so), from which no number of days can be computed.
_DATE_RULE = "a date as text, YYYY-MM-DD, in the years 2000 to 2100"
DATE_PATTERN = r"^(20[0-9]{2}|2100)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
Date = Annotated[
    date,
    text_of(DATE_PATTERN, call(date.fromisoformat), format="date"),
    Field(description=_DATE_RULE),
]
DateOfService = Annotated[
    Date,
    Field(description=f"{_DATE_RULE}, not after the day after the event's own time (in UTC)"),
]
PaymentDate = Annotated[Date, Field(description=f"{_DATE_RULE}, not before date_of_service")]
NullableDate = Annotated[Date | None, Field(description=f"{_DATE_RULE}, or null")]

Time = Annotated[
    datetime,
    text_of(RFC3339_PATTERN, call(parse_time), format="date-time"),
    Field(description="an RFC 3339 time with offset, in the years 2000 to 2100, no leap second"),
]

_MONEY_PATTERN = r"^[0-9]{1,8}(\.[0-9]{1,2})?$"
Money = Annotated[
    Decimal,
    decimal_of(_MONEY_PATTERN, MAX_MONEY),
    Field(
        description="dollars, as text or as a number, written with 1 to 8 digits "
        "and at most 2 decimals, without sign or exponent"
    ),
]

NO_NUL = r"^[^\u0000]+$"  # PostgreSQL's text cannot hold U+0000
_Text6 = Annotated[str, Field(min_length=1, max_length=6, pattern=NO_NUL)]
_TEXT_10_RULE = "text of 1 to 10 characters without U+0000 or lone surrogates, or null"
NullableText10 = Annotated[
    Annotated[str, Field(min_length=1, max_length=10, pattern=NO_NUL)] | None,
    Field(description=_TEXT_10_RULE),
]
NullableHealthNumber = Annotated[
    Annotated[str, Field(pattern=r"^[0-9]{9}$")] | None,
    Field(description="text of 9 digits, or null"),
]
AhcipText10 = Annotated[NullableText10, Field(description=f"{_TEXT_10_RULE}; required for AHCIP")]
Modifiers = Annotated[
    list[_Text6],
    Field(
        max_length=3,
        description="a list of at most 3 texts of 1 to 6 characters "
        "without U+0000 or lone surrogates",
    ),
]


ClaimTypeField = Annotated[
    ClaimType,
    Field(strict=False, description=f"one of {' '.join(ClaimType)}"),
    listed(ClaimType),
]
NullableFormId = Annotated[
    Annotated[FormId, Field(strict=False), listed(FormId)] | None,
    Field(description=f"one of {' '.join(FormId)}, or null; required for WCB, null for AHCIP"),
]
NullableTimingTier = Annotated[
    Annotated[TimingTier, Field(strict=False), listed(TimingTier)] | None,
    Field(description=f"one of {' '.join(TimingTier)}, or null; null for AHCIP"),
]
