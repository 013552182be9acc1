"""What values look like in JSON, checked before they are converted, and the schema for it."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from consumers.contracts.strict_json import JsonNumber


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


def listed(words: type[StrEnum]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [word.value for word in words]})
