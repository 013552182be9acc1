"""`ca.meritum.claim.submitted.v1`: the claim went to the payer."""

from pydantic import Field

from consumers.contracts import fields
from consumers.contracts.claim_data import ClaimData


class ClaimSubmitted(ClaimData):
    """A claim that was sent, or sent again with corrections."""

    submitted_at: fields.Time = Field(title="When it was sent")
    submission_deadline: fields.NullableDate = Field(
        default=None, title="The last day on which it may be sent"
    )
