"""`ca.meritum.analytics.refresh-requested.v1`: somebody looks at figures that may be stale."""

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import core_schema

from consumers.contracts import fields
from consumers.contracts.strict_json import JsonNumber

USUAL_MINUTES = 60
MOST_MINUTES = 525_600  # a year


def _minutes(number: JsonNumber) -> int:
    if not _MINUTES_LITERAL.fullmatch(number.literal):
        raise ValueError("no number of minutes")
    return int(number.literal)


_MINUTES_LITERAL = re.compile(r"[1-9][0-9]{0,5}")

_MaxAge = Annotated[
    int,
    fields.JsonForm(
        fields.number_then(_minutes, core_schema.int_schema(le=MOST_MINUTES)),
        {"type": "integer", "minimum": 1, "maximum": MOST_MINUTES},
    ),
    Field(
        description=f"an integer from 1 to {MOST_MINUTES}, written without a fraction or an "
        f"exponent, or null, which is {USUAL_MINUTES}"
    ),
    fields.NullMeans(lambda: USUAL_MINUTES),
]


class RefreshRequested(BaseModel):
    """A request that a provider's figures be confirmed, or recomputed if they were not lately."""

    model_config = ConfigDict(strict=True, frozen=True)

    provider_id: fields.Uuid = Field(title="The provider whose figures somebody looks at")
    max_age_minutes: _MaxAge = Field(
        default=USUAL_MINUTES, title="How long ago they may have been confirmed"
    )
