"""Claim events (`ca.meritum.claim.*.v1`): each carries the whole claim as it is after the change.

A field's `description` is its rule (see `fields`), its `title` what it means.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from consumers.contracts import fields
from repositories.calendar import day_in_alberta
from repositories.vocabulary import ClaimType

_ONE_DAY = timedelta(days=1)
_HSC_CODE = "Health service code, kept as it is, inner blanks too"
_DEADLINE = "The last day on which it may be sent"


def _claim_type_rules(schema: JsonDict, model: type["ClaimData"]) -> None:
    schema["allOf"] = [
        {
            "if": {"properties": {"claim_type": {"const": word.value}}, "required": ["claim_type"]},
            "then": {
                "required": [name for name, needed in rules.items() if needed],
                "properties": {
                    name: {"type": "string" if needed else "null"} for name, needed in rules.items()
                },
            },
        }
        for word, rules in model.by_claim_type.items()
        if rules
    ]


class ClaimData(BaseModel):
    """The base of every claim event's data; unknown fields are ignored, absent ones are null.

    A claim that was never sent may lack its code, its form, its business arrangement and its fee.
    """

    model_config = ConfigDict(strict=True, frozen=True, json_schema_extra=_claim_type_rules)

    # Fields that must be there (True), and that must be null (False), in this claim type.
    by_claim_type: ClassVar[Mapping[ClaimType, Mapping[str, bool]]] = {
        ClaimType.AHCIP: {"form_id": False, "timing_tier": False},
        ClaimType.WCB: {},
    }
    # Dates that must not precede another date, by name.
    not_before: ClassVar[Mapping[str, str]] = {}

    claim_id: fields.Uuid = Field(title="The claim")
    claim_version: fields.Version = Field(title="Grows with every change of the claim")
    provider_id: fields.Uuid = Field(title="The provider whose claim it is; never changes")
    claim_type: fields.ClaimTypeField = Field(title="Who pays")
    date_of_service: fields.DateOfService = Field(title="When the patient was seen")
    patient_phn: fields.NullableHealthNumber = Field(
        default=None, title="The patient's personal health number: PHI"
    )
    ba_number: fields.NullableText10 = Field(default=None, title="Business arrangement")
    location_id: fields.NullableUuid = Field(default=None, title="Practice location")
    hsc_code: fields.NullableText10 = Field(default=None, title=_HSC_CODE)
    modifiers: fields.Modifiers = Field(default_factory=list, title="Modifiers of the code")
    form_id: fields.NullableFormId = Field(default=None, title="WCB form")
    timing_tier: fields.NullableTimingTier = Field(
        default=None, title="How soon the WCB form was sent"
    )
    submitted_fee: fields.NullableMoney = Field(default=None, title="The fee that is asked for")

    def cross_rules(self, occurred_at: datetime) -> dict[str, bool]:
        """The rules that span fields: the field that answers for each, and whether it holds.

        `occurred_at` is the event's own time in UTC. The consumer's clock has no say, so that
        the same event has the same outcome whenever it is read.
        """
        return {
            "date_of_service": self.date_of_service <= occurred_at.date() + _ONE_DAY,
            **{
                name: (getattr(self, name) is not None) is needed
                for name, needed in self.by_claim_type[self.claim_type].items()
            },
            **{
                later: getattr(self, later) >= getattr(self, earlier)
                for later, earlier in self.not_before.items()
            },
        }

    def derived(self) -> dict[str, object]:
        """The columns that follow from several fields or bear another name, by their names."""
        return {}


class SentClaim(ClaimData):
    """A claim that was sent, so it has all that its claim type needs."""

    by_claim_type: ClassVar[Mapping[ClaimType, Mapping[str, bool]]] = {
        ClaimType.AHCIP: {
            "ba_number": True,
            "hsc_code": True,
            "form_id": False,
            "timing_tier": False,
        },
        ClaimType.WCB: {"form_id": True},
    }

    ba_number: fields.AhcipText10 = Field(default=None, title="Business arrangement")
    hsc_code: fields.AhcipText10 = Field(default=None, title=_HSC_CODE)
    form_id: fields.WcbFormId = Field(default=None, title="WCB form")
    submitted_fee: fields.Money = Field(title="The fee that was asked for")


class ClaimSaved(ClaimData):
    """A claim that is being written, or edited before it is sent again."""

    stage: fields.Stage = Field(title="How far it is: the state of the claim")
    created_at: fields.Time = Field(title="When the claim was begun")
    submission_deadline: fields.NullableDate = Field(default=None, title=_DEADLINE)

    def derived(self) -> dict[str, object]:
        return {"state": self.stage, "created_day": day_in_alberta(self.created_at)}


class ClaimSubmitted(SentClaim):
    """A claim that was sent, or sent again with corrections."""

    submitted_at: fields.Time = Field(title="When it was sent")
    submission_deadline: fields.NullableDate = Field(default=None, title=_DEADLINE)


class ClaimAssessed(SentClaim):
    """A claim for which the payer has named a fee, and not paid it yet."""

    assessed_fee: fields.Money = Field(title="What the payer will pay")
    explanatory_codes: fields.ExplanatoryCodes = Field(
        default_factory=list, title="Why the payer decided so"
    )


class ClaimPaid(SentClaim):
    """A claim that was paid, or whose payment was stated again with corrections."""

    not_before: ClassVar[Mapping[str, str]] = {"payment_date": "date_of_service"}

    assessed_fee: fields.Money = Field(title="What the payer paid; 0 is paid at zero")
    payment_date: fields.PaymentDate = Field(title="When the payer paid")
    rrnp_premium: fields.MoneyOrZero = Field(
        default=Decimal(0), title="Rural and northern premium, beside the fee"
    )


class ClaimAdjusted(ClaimPaid):
    """A claim whose payment the payer has corrected: what it amounts to now."""

    explanatory_codes: fields.ExplanatoryCodes = Field(
        default_factory=list, title="Why the payer corrected it"
    )


class ClaimRejected(SentClaim):
    """A claim that the payer has refused; it may be edited and sent again."""

    explanatory_codes: fields.ExplanatoryCodes = Field(
        default_factory=list, title="Why the payer refused it"
    )
    submission_deadline: fields.NullableDate = Field(
        default=None, title="The last day on which it may be sent again"
    )


class ClaimWrittenOff(ClaimData):
    """A claim that the physician has given up."""


class ClaimExpired(ClaimData):
    """A claim that was not sent, or not sent again, before its deadline."""


class ClaimWithdrawn(ClaimData):
    """A claim that the physician has taken back; it counts nowhere."""
