"""`ca.meritum.provider.updated.v1`: a provider's whole profile as it stands after a change."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import core_schema

from consumers.contracts import fields
from consumers.contracts.strict_json import JsonNumber

MIN_BIGINT, MAX_BIGINT = -(2**63), 2**63 - 1
MAX_NAME = 200


def _integer(number: JsonNumber) -> int:
    if not _INTEGER_LITERAL.fullmatch(number.literal):
        raise ValueError("no integer of a bigint's length")
    return int(number.literal)


_INTEGER_LITERAL = re.compile(r"0|-?[1-9][0-9]{0,18}")

_Version = Annotated[
    int,
    fields.JsonForm(
        fields.number_then(_integer, core_schema.int_schema(ge=MIN_BIGINT, le=MAX_BIGINT)),
        {"type": "integer", "minimum": MIN_BIGINT, "maximum": MAX_BIGINT},
    ),
    Field(description="an integer of 64 bits, written without a fraction or an exponent"),
]
_Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_NAME,
        pattern=fields.NO_NUL,
        description=f"text of 1 to {MAX_NAME} characters without U+0000 or lone surrogates",
    ),
]
_Rate = Annotated[
    Annotated[Decimal, fields.decimal_of(r"^[0-9]{1,3}(\.[0-9]{1,4})?$", 999.9999)] | None,
    Field(
        description="a percentage, as text or as a number, written with 1 to 3 digits "
        "and at most 4 decimals, or null"
    ),
]


class ProviderLocation(BaseModel):
    """A place where the provider practises."""

    model_config = ConfigDict(strict=True, frozen=True)

    location_id: fields.Uuid = Field(title="The location, as claims name it")
    name: _Name = Field(title="Its name")
    rrnp_rate: _Rate = Field(default=None, title="Rural and northern premium, in percent")


_Locations = Annotated[
    list[ProviderLocation],
    WithJsonSchema({"type": "array", "items": ProviderLocation.model_json_schema()}),
    Field(
        description="a list of locations, each with location_id (a UUID), "
        f"name (text of 1 to {MAX_NAME} characters) and rrnp_rate (a percentage or null), "
        "or null, which is an empty list"
    ),
    fields.NullMeans(list),
]


class ProviderUpdated(BaseModel):
    """Who a provider is; of several versions the highest counts."""

    model_config = ConfigDict(strict=True, frozen=True)

    provider_id: fields.Uuid = Field(title="The provider")
    provider_version: _Version = Field(title="Grows with every change of the profile")
    first_name: _Name = Field(title="First name")
    last_name: _Name = Field(title="Last name")
    billing_number: fields.NullableText10 = Field(default=None, title="Practitioner's number")
    locations: _Locations = Field(default_factory=list, title="All places of practice")
