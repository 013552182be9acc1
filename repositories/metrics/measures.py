"""What one claim adds to the sums that metrics are made of.

The words are those of the specification: a claim is *submitted* as soon as it is known, *paid*
while its state is PAID or ADJUSTED, *pending* while it is SUBMITTED or ASSESSED; a withdrawn
claim counts nowhere.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Numeric, and_, case, cast, literal_column
from sqlalchemy.sql import ColumnElement, FromClause

from repositories.vocabulary import ClaimState

# Sums are wider than the numeric(10,2) of one claim; the scale keeps zero as "0.00".
MONEY = Numeric(18, 2)
COUNT = BigInteger()
ONE = literal_column("1", COUNT)
ZERO = literal_column("0", COUNT)


class Measure(StrEnum):
    """A column that is summed over claims."""

    SUBMITTED_COUNT = "submitted_count"
    SUBMITTED_AMOUNT = "submitted_amount"  # submitted_fee of submitted claims
    PAID_COUNT = "paid_count"
    PAID_AMOUNT = "paid_amount"  # assessed_fee of paid claims
    PAID_DAYS = "paid_days"  # payment_date - date_of_service of paid claims
    PENDING_COUNT = "pending_count"
    PENDING_AMOUNT = "pending_amount"  # submitted_fee of pending claims
    PREMIUM_COUNT = "premium_count"  # paid claims with a premium above 0
    PREMIUM_AMOUNT = "premium_amount"  # their rrnp_premium

    @property
    def type(self) -> Numeric[Any] | BigInteger:
        return MONEY if self.value.endswith("_amount") else COUNT


def measures_of(claim: FromClause) -> dict[Measure, ColumnElement[Any]]:
    """Each measure as an expression over the columns of `claim`."""
    submitted = claim.c.state != ClaimState.WITHDRAWN
    paid = claim.c.state.in_((ClaimState.PAID, ClaimState.ADJUSTED))
    pending = claim.c.state.in_((ClaimState.SUBMITTED, ClaimState.ASSESSED))
    premium = and_(paid, claim.c.rrnp_premium > ZERO)
    days = claim.c.payment_date - claim.c.date_of_service
    counted: dict[Measure, tuple[ColumnElement[bool], ColumnElement[Any]]] = {
        Measure.SUBMITTED_COUNT: (submitted, ONE),
        Measure.SUBMITTED_AMOUNT: (submitted, claim.c.submitted_fee),
        Measure.PAID_COUNT: (paid, ONE),
        Measure.PAID_AMOUNT: (paid, claim.c.assessed_fee),
        Measure.PAID_DAYS: (paid, days),
        Measure.PENDING_COUNT: (pending, ONE),
        Measure.PENDING_AMOUNT: (pending, claim.c.submitted_fee),
        Measure.PREMIUM_COUNT: (premium, ONE),
        Measure.PREMIUM_AMOUNT: (premium, claim.c.rrnp_premium),
    }
    return {
        measure: cast(case((counts, amount), else_=ZERO), measure.type)
        for measure, (counts, amount) in counted.items()
    }
