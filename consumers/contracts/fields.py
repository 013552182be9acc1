"""The types of the fields of events: how a value looks in JSON, and its rule as a sentence.

The sentence is the field's `description`: it appears in the JSON Schema and in the detail of a
dead letter, after "must be". Patterns are ASCII and mean the same to Rust (which checks), to Python
and to JSON Schema.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from consumers.contracts.strict_json import JsonNumber
from repositories.vocabulary import UNSENT_STATES, ClaimState, ClaimType, FormId, TimingTier

# The offset is required. A leap second (`:60`) is refused: neither Python nor PostgreSQL can hold
# it, and rolling it into the next minute would be a guess.
RFC3339_PATTERN = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
FIRST_YEAR = 2000
LAST_YEAR = 2100


class OutOfRangeError(ValueError):
    """A well-formed time outside the years 2000 to 2100."""


def parse_time(text: str) -> datetime:
    """The moment in UTC, cut to microseconds; `ValueError` if malformed or out of range."""
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time")
    moment = datetime.fromisoformat(text.upper())
    if FIRST_YEAR - 1 <= moment.year <= LAST_YEAR + 1:  # far from where UTC would overflow
        in_utc = moment.astimezone(UTC)
        if FIRST_YEAR <= in_utc.year <= LAST_YEAR:
            return in_utc
    raise OutOfRangeError("outside the years 2000 to 2100")


_RFC3339 = re.compile(RFC3339_PATTERN)


@dataclass(frozen=True, eq=False)  # hashable, as metadata of a type must be
class JsonForm:
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


def text_of(pattern: str, then: CoreSchema, **json_schema: object) -> JsonForm:
    text = core_schema.str_schema(pattern=pattern)
    return JsonForm(
        core_schema.chain_schema([text, then]),
        {"type": "string", "pattern": pattern, **json_schema},
    )


def number_then(convert: Callable[[JsonNumber], object], then: CoreSchema) -> CoreSchema:
    number = core_schema.is_instance_schema(JsonNumber)
    converted = core_schema.no_info_after_validator_function(convert, number)
    return core_schema.chain_schema([converted, then])


def call(convert: Callable[[str], object]) -> CoreSchema:
    return core_schema.no_info_plain_validator_function(convert)


def decimal_of(pattern: str, maximum: float) -> JsonForm:
    """A decimal number, as text or as a number that is written in the same way."""
    as_text = text_of(pattern, call(Decimal))
    checks = core_schema.union_schema(
        [as_text.checks, number_then(lambda number: number.literal, as_text.checks)],
        mode="left_to_right",
    )
    number: JsonSchemaValue = {"type": "number", "minimum": 0, "maximum": maximum}
    return JsonForm(checks, {"anyOf": [as_text.json_schema, number]})


_NULL: JsonSchemaValue = {"type": "null"}


@dataclass(frozen=True, eq=False)
class NullMeans:
    """JSON null counts as what an absent field does: serializers write it for what they lack.

    `default` makes that value.
    """

    default: Callable[[], object]

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            lambda value: self.default() if value is None else value,
            core_schema.nullable_schema(handler(source)),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        known = handler(schema)
        alternatives = known.get("anyOf", [known])
        return {"anyOf": [*alternatives, *([_NULL] if _NULL not in alternatives else [])]}


def listed(words: Iterable[StrEnum]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [word.value for word in words]})


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
_MONEY_RULE = (
    "dollars, as text or as a number, written with 1 to 8 digits "
    "and at most 2 decimals, without sign or exponent"
)
Money = Annotated[Decimal, decimal_of(_MONEY_PATTERN, MAX_MONEY), Field(description=_MONEY_RULE)]
NullableMoney = Annotated[Money | None, Field(description=f"{_MONEY_RULE}, or null")]
MoneyOrZero = Annotated[
    Money, NullMeans(Decimal), Field(description=f"{_MONEY_RULE}, or null, which is 0")
]

NO_NUL = r"^[^\u0000]+$"  # PostgreSQL's text cannot hold U+0000
_Text6 = Annotated[str, Field(min_length=1, max_length=6, pattern=NO_NUL)]
_Text10 = Annotated[str, Field(min_length=1, max_length=10, pattern=NO_NUL)]
_TEXT_10_RULE = "text of 1 to 10 characters without U+0000 or lone surrogates, or null"
NullableText10 = Annotated[_Text10 | None, Field(description=_TEXT_10_RULE)]
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
        "without U+0000 or lone surrogates, or null, which is an empty list",
    ),
    NullMeans(list),
]
ExplanatoryCodes = Annotated[
    list[_Text10],
    Field(
        max_length=50,
        description="a list of at most 50 texts of 1 to 10 characters "
        "without U+0000 or lone surrogates, or null, which is an empty list",
    ),
    NullMeans(list),
]

ClaimTypeField = Annotated[
    ClaimType,
    Field(strict=False, description=f"one of {' '.join(ClaimType)}"),
    listed(ClaimType),
]
_FormId = Annotated[FormId, Field(strict=False), listed(FormId)]
_FORM_ID_RULE = f"one of {' '.join(FormId)}, or null"
NullableFormId = Annotated[_FormId | None, Field(description=f"{_FORM_ID_RULE}; null for AHCIP")]
WcbFormId = Annotated[
    _FormId | None, Field(description=f"{_FORM_ID_RULE}; required for WCB, null for AHCIP")
]
NullableTimingTier = Annotated[
    Annotated[TimingTier, Field(strict=False), listed(TimingTier)] | None,
    Field(description=f"one of {' '.join(TimingTier)}, or null; null for AHCIP"),
]
# The state of a claim that is not sent yet.
Stage = Annotated[
    ClaimState,
    text_of(f"^({'|'.join(UNSENT_STATES)})$", call(ClaimState)),
    Field(description=f"one of {' '.join(UNSENT_STATES)}"),
    listed(UNSENT_STATES),
]
