"""The types of the fields of events, each with its rule as a sentence.

The sentence is the field's `description`: it appears in the JSON Schema and in the detail of a
dead letter, after "must be".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from consumers.contracts.rfc3339 import RFC3339_PATTERN, parse_time
from consumers.contracts.strict_json import JsonNumber
from repositories.vocabulary import ClaimType, FormId, TimingTier

MAX_VERSION = 2**63 - 1  # PostgreSQL's bigint
MAX_MONEY = 99_999_999.99  # numeric(10,2)


@dataclass(frozen=True, eq=False)  # hashable, as metadata of a type must be
class _JsonForm:
    """What a value must look like in JSON before it is converted, and the JSON Schema for it.

    Patterns are ASCII and mean the same to Rust (which checks), to Python and to JSON Schema.
    """

    checks: CoreSchema
    json_schema: JsonSchemaValue

    def __get_pydantic_core_schema__(self, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return self.checks

    def __get_pydantic_json_schema__(
        self, _: CoreSchema, __: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return dict(self.json_schema)


def _text_of(pattern: str, then: CoreSchema, **json_schema: object) -> _JsonForm:
    text = core_schema.str_schema(pattern=pattern)
    return _JsonForm(
        core_schema.chain_schema([text, then]),
        {"type": "string", "pattern": pattern, **json_schema},
    )


def _number_then(convert: Callable[[JsonNumber], object], then: CoreSchema) -> CoreSchema:
    number = core_schema.is_instance_schema(JsonNumber)
    converted = core_schema.no_info_after_validator_function(convert, number)
    return core_schema.chain_schema([converted, then])


def _call(convert: Callable[[str], object]) -> CoreSchema:
    return core_schema.no_info_plain_validator_function(convert)


def _integer(number: JsonNumber) -> int:
    if not _VERSION_LITERAL.fullmatch(number.literal):
        raise ValueError("no positive integer of a bigint's length")
    return int(number.literal)


_VERSION_LITERAL = re.compile(r"[1-9][0-9]{0,18}")

_UUID_RULE = "a UUID as text in its canonical form of 36 characters"
_UUID_PATTERN = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
Uuid = Annotated[
    UUID,
    _text_of(_UUID_PATTERN, core_schema.uuid_schema(strict=False), format="uuid"),
    Field(description=_UUID_RULE),
]
NullableUuid = Annotated[Uuid | None, Field(description=f"{_UUID_RULE}, or null")]

Version = Annotated[
    int,
    _JsonForm(
        _number_then(_integer, core_schema.int_schema(le=MAX_VERSION)),
        {"type": "integer", "minimum": 1, "maximum": MAX_VERSION},
    ),
    Field(description="an integer from 1 to 2^63 - 1, written without a fraction or an exponent"),
]

# Dates are bounded like times. Without that, 9999-12-31 would reach PostgreSQL as `infinity`
# (asyncpg means it so), from which no number of days can be computed.
_DATE_RULE = "a date as text, YYYY-MM-DD, in the years 2000 to 2100"
_DATE_PATTERN = r"^(20[0-9]{2}|2100)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"
Date = Annotated[
    date,
    _text_of(_DATE_PATTERN, _call(date.fromisoformat), format="date"),
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
    _text_of(RFC3339_PATTERN, _call(parse_time), format="date-time"),
    Field(description="an RFC 3339 time with offset, in the years 2000 to 2100, no leap second"),
]

_MONEY_PATTERN = r"^[0-9]{1,8}(\.[0-9]{1,2})?$"
_MONEY_TEXT = _text_of(_MONEY_PATTERN, _call(Decimal))
Money = Annotated[
    Decimal,
    _JsonForm(
        core_schema.union_schema(
            [_MONEY_TEXT.checks, _number_then(lambda number: number.literal, _MONEY_TEXT.checks)],
            mode="left_to_right",
        ),
        {
            "anyOf": [
                _MONEY_TEXT.json_schema,
                {"type": "number", "minimum": 0, "maximum": MAX_MONEY},
            ]
        },
    ),
    Field(
        description="dollars, as text or as a number, written with 1 to 8 digits "
        "and at most 2 decimals, without sign or exponent"
    ),
]

_NO_NUL = r"^[^\u0000]+$"  # PostgreSQL's text cannot hold U+0000
_Text6 = Annotated[str, Field(min_length=1, max_length=6, pattern=_NO_NUL)]
_TEXT_10_RULE = "text of 1 to 10 characters without U+0000 or lone surrogates, or null"
NullableText10 = Annotated[
    Annotated[str, Field(min_length=1, max_length=10, pattern=_NO_NUL)] | None,
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


def _listed(words: type[ClaimType | FormId | TimingTier]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [word.value for word in words]})


ClaimTypeField = Annotated[
    ClaimType,
    Field(strict=False, description=f"one of {' '.join(ClaimType)}"),
    _listed(ClaimType),
]
NullableFormId = Annotated[
    Annotated[FormId, Field(strict=False), _listed(FormId)] | None,
    Field(description=f"one of {' '.join(FormId)}, or null; required for WCB, null for AHCIP"),
]
NullableTimingTier = Annotated[
    Annotated[TimingTier, Field(strict=False), _listed(TimingTier)] | None,
    Field(description=f"one of {' '.join(TimingTier)}, or null; null for AHCIP"),
]
