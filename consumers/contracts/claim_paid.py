"""`ca.meritum.claim.paid.v1`: the payer paid, zero included."""

from datetime import datetime
from decimal import Decimal

from pydantic import Field

from consumers.contracts import fields
from consumers.contracts.claim_data import ClaimData


class ClaimPaid(ClaimData):
    """A claim that was paid, or whose payment was stated again with corrections."""

    assessed_fee: fields.Money = Field(title="What the payer paid; 0 is paid at zero")
    payment_date: fields.PaymentDate = Field(title="When the payer paid")
    rrnp_premium: fields.Money = Field(
        default=Decimal(0), title="Rural and northern premium, beside the fee"
    )

    def cross_rules(self, occurred_at: datetime) -> dict[str, bool]:
        after_service = self.payment_date >= self.date_of_service
        return {**super().cross_rules(occurred_at), "payment_date": after_service}
