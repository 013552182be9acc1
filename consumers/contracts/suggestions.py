"""`ca.meritum.ai.suggestion.v1`: what happened to a suggestion of the AI coach."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import core_schema

from consumers.contracts import fields
from consumers.contracts.strict_json import JsonNumber
from repositories.vocabulary import SuggestionEvent

MAX_CATEGORY, MAX_RULE_NAME = 50, 200
LOWEST_TIER, HIGHEST_TIER = 1, 3


def _tier(number: JsonNumber) -> int:
    if not _TIER_LITERAL.fullmatch(number.literal):
        raise ValueError("no tier")
    return int(number.literal)


_TIER_LITERAL = re.compile(f"[{LOWEST_TIER}-{HIGHEST_TIER}]")

_Tier = Annotated[
    int,
    fields.JsonForm(
        fields.number_then(_tier, core_schema.int_schema()),
        {"type": "integer", "minimum": LOWEST_TIER, "maximum": HIGHEST_TIER},
    ),
    Field(
        description=f"an integer from {LOWEST_TIER} to {HIGHEST_TIER}, "
        "written without a fraction or an exponent"
    ),
]
_Category = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_CATEGORY,
        pattern=fields.NO_NUL,
        description=f"text of 1 to {MAX_CATEGORY} characters without U+0000 or lone surrogates",
    ),
]
_RuleName = Annotated[
    Annotated[str, Field(min_length=1, max_length=MAX_RULE_NAME, pattern=fields.NO_NUL)] | None,
    Field(
        description=f"text of 1 to {MAX_RULE_NAME} characters without U+0000 or lone surrogates, "
        "or null"
    ),
]
_EventType = Annotated[
    SuggestionEvent,
    Field(strict=False, description=f"one of {' '.join(SuggestionEvent)}"),
    fields.listed(SuggestionEvent),
]


class AiSuggestion(BaseModel):
    """One event in the life of a suggestion; never changes, and comes once in effect."""

    model_config = ConfigDict(strict=True, frozen=True)

    event_id: fields.Uuid = Field(title="The event's identity, whatever ce_id says")
    suggestion_id: fields.Uuid = Field(title="The suggestion that it happened to")
    claim_id: fields.Uuid = Field(title="The claim that was suggested for; it may be unknown here")
    provider_id: fields.Uuid = Field(title="The provider who was advised")
    rule_id: fields.NullableUuid = Field(default=None, title="The coach's rule behind it")
    rule_name: _RuleName = Field(default=None, title="The rule's name, for people")
    category: _Category = Field(title="What kind of advice it is")
    tier: _Tier = Field(title="The tier of the coach that it comes from")
    event_type: _EventType = Field(title="What happened")
    revenue_impact: fields.NullableMoney = Field(default=None, title="What following it may bring")
    created_at: fields.Time = Field(title="When it happened; its day in Alberta counts")
