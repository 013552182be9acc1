"""What every claim event carries: the whole claim as it stands after the change."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict, JsonValue

from consumers.contracts import fields
from repositories.vocabulary import ClaimType

_ONE_DAY = timedelta(days=1)


def _when(claim_type: ClaimType, then: JsonDict) -> JsonDict:
    condition: JsonDict = {
        "properties": {"claim_type": {"const": claim_type.value}},
        "required": ["claim_type"],
    }
    return {"if": condition, "then": then}


_TEXT: JsonDict = {"type": "string"}
_NULL: JsonDict = {"type": "null"}
_RULES_BY_CLAIM_TYPE: list[JsonValue] = [
    _when(
        ClaimType.AHCIP,
        {
            "required": ["ba_number", "hsc_code"],
            "properties": {
                "ba_number": _TEXT,
                "hsc_code": _TEXT,
                "form_id": _NULL,
                "timing_tier": _NULL,
            },
        },
    ),
    _when(ClaimType.WCB, {"required": ["form_id"], "properties": {"form_id": _TEXT}}),
]


class ClaimData(BaseModel):
    """The base of every claim event's data; unknown fields are ignored, absent ones are null.

    A field's `description` is its rule (see `fields`), its `title` what it means.
    """

    model_config = ConfigDict(
        strict=True, frozen=True, json_schema_extra={"allOf": _RULES_BY_CLAIM_TYPE}
    )

    claim_id: fields.Uuid = Field(title="The claim")
    claim_version: fields.Version = Field(title="Grows with every change of the claim")
    provider_id: fields.Uuid = Field(title="The provider whose claim it is; never changes")
    claim_type: fields.ClaimTypeField = Field(title="Who pays")
    date_of_service: fields.DateOfService = Field(title="When the patient was seen")
    patient_phn: fields.NullableHealthNumber = Field(
        default=None, title="The patient's personal health number: PHI"
    )
    ba_number: fields.AhcipText10 = Field(default=None, title="Business arrangement")
    location_id: fields.NullableUuid = Field(default=None, title="Practice location")
    hsc_code: fields.AhcipText10 = Field(
        default=None, title="Health service code, kept as it is, inner blanks too"
    )
    modifiers: fields.Modifiers = Field(default_factory=list, title="Modifiers of the code")
    form_id: fields.NullableFormId = Field(default=None, title="WCB form")
    timing_tier: fields.NullableTimingTier = Field(
        default=None, title="How soon the WCB form was sent"
    )
    submitted_fee: fields.Money = Field(title="The fee that was asked for")

    def cross_rules(self, occurred_at: datetime) -> dict[str, bool]:
        """The rules that span fields: the field that answers for each, and whether it holds.

        `occurred_at` is the event's own time in UTC. The consumer's clock has no say, so that
        the same event has the same outcome whenever it is read.
        """
        in_time = self.date_of_service <= occurred_at.date() + _ONE_DAY
        if self.claim_type is ClaimType.WCB:
            return {"date_of_service": in_time, "form_id": self.form_id is not None}
        return {
            "date_of_service": in_time,
            "ba_number": self.ba_number is not None,
            "hsc_code": self.hsc_code is not None,
            "form_id": self.form_id is None,
            "timing_tier": self.timing_tier is None,
        }
