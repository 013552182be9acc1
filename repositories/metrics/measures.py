"""What one row adds to the sums that metrics are made of: a claim, or an event of the AI coach.

The words are those of the specification. A claim was *sent* if some event of its history says so,
and *submitted* if it was sent and is not withdrawn; it is *paid* while its state is PAID or
ADJUSTED, *pending* while it is SUBMITTED or ASSESSED, *decided* once the payer has answered, and
*unsent* while only its physician has seen it, which counts in the rows of days alone.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Integer, Numeric, and_, case, func, literal_column, true
from sqlalchemy.sql import ColumnElement, FromClause

from repositories.vocabulary import UNSENT_STATES, ClaimState, SuggestionEvent

# Sums are wider than the numeric(10,2) of one claim; the scale keeps zero as "0.00".
MONEY = Numeric(18, 2)
COUNT = BigInteger()
ONE = literal_column("1", Integer())
ZERO = literal_column("0", Integer())
NO_MONEY = literal_column("0.00", MONEY)  # its scale is what the text of a sum shows

Condition = ColumnElement[bool]
Counted = tuple[Condition, ColumnElement[Any]]  # the rows that count, and with what


class Measure(StrEnum):
    """A column that is summed; what is not an amount or a difference of money is an integer."""

    SUBMITTED_COUNT = "submitted_count"
    SUBMITTED_AMOUNT = "submitted_amount"  # submitted_fee of submitted claims
    PAID_COUNT = "paid_count"
    PAID_AMOUNT = "paid_amount"  # assessed_fee of paid claims
    PAID_DAYS = "paid_days"  # payment_date - date_of_service of paid claims
    PENDING_COUNT = "pending_count"
    PENDING_AMOUNT = "pending_amount"  # submitted_fee of pending claims
    PREMIUM_COUNT = "premium_count"  # paid claims with a premium above 0
    PREMIUM_AMOUNT = "premium_amount"  # their rrnp_premium
    ASSESSED_COUNT = "assessed_count"
    ASSESSED_AMOUNT = "assessed_amount"  # assessed_fee of assessed claims
    REJECTED_COUNT = "rejected_count"
    REJECTED_AMOUNT = "rejected_amount"  # submitted_fee of rejected claims
    ADJUSTED_COUNT = "adjusted_count"
    ADJUSTED_AMOUNT = "adjusted_amount"  # assessed_fee of adjusted claims
    ADJUSTED_DIFFERENCE = "adjusted_difference"  # less their submitted_fee
    DECIDED_COUNT = "decided_count"
    EXPIRED_COUNT = "expired_count"
    EXPIRED_AMOUNT = "expired_amount"  # submitted_fee of expired claims
    EVER_REJECTED = "ever_rejected"
    RESUBMITTED = "resubmitted"  # of these
    PAID_ON_RESUBMISSION = "paid_on_resubmission"  # of these
    REJECTED_AND_WRITTEN_OFF = "rejected_and_written_off"
    WAITING_COUNT = "waiting_count"  # of the claims that a row of a day is about
    WAITING_AMOUNT = "waiting_amount"  # their submitted_fee
    GENERATED = "generated"
    ACCEPTED = "accepted"
    DISMISSED = "dismissed"
    ACCEPTED_AMOUNT = "accepted_amount"  # revenue_impact of accepted suggestions

    @property
    def type(self) -> Numeric[Any] | BigInteger:
        return MONEY if self.value.endswith(("_amount", "_difference")) else COUNT


def claim_measures(claim: FromClause) -> Mapping[Measure, Counted]:
    """Over the columns of `claims`."""
    state, fee, assessed_fee = claim.c.state, claim.c.submitted_fee, claim.c.assessed_fee
    submitted = and_(claim.c.first_sent_version.is_not(None), state != ClaimState.WITHDRAWN)
    paid = state.in_((ClaimState.PAID, ClaimState.ADJUSTED))
    pending = state.in_((ClaimState.SUBMITTED, ClaimState.ASSESSED))
    assessed, adjusted = state == ClaimState.ASSESSED, state == ClaimState.ADJUSTED
    expired, rejected = state == ClaimState.EXPIRED, is_rejected(claim)
    decided = state.in_(
        (ClaimState.ASSESSED, ClaimState.PAID, ClaimState.REJECTED, ClaimState.ADJUSTED)
    )
    premium = and_(paid, claim.c.rrnp_premium > ZERO)
    ever_rejected = and_(claim.c.first_rejected_version.is_not(None), state != ClaimState.WITHDRAWN)
    resubmitted = and_(ever_rejected, claim.c.last_sent_version > claim.c.first_rejected_version)
    return {
        Measure.SUBMITTED_COUNT: (submitted, ONE),
        Measure.SUBMITTED_AMOUNT: (submitted, fee),
        Measure.PAID_COUNT: (paid, ONE),
        Measure.PAID_AMOUNT: (paid, assessed_fee),
        Measure.PAID_DAYS: (paid, claim.c.payment_date - claim.c.date_of_service),
        Measure.PENDING_COUNT: (pending, ONE),
        Measure.PENDING_AMOUNT: (pending, fee),
        Measure.PREMIUM_COUNT: (premium, ONE),
        Measure.PREMIUM_AMOUNT: (premium, claim.c.rrnp_premium),
        Measure.ASSESSED_COUNT: (assessed, ONE),
        Measure.ASSESSED_AMOUNT: (assessed, assessed_fee),
        Measure.REJECTED_COUNT: (rejected, ONE),
        Measure.REJECTED_AMOUNT: (rejected, fee),
        Measure.ADJUSTED_COUNT: (adjusted, ONE),
        Measure.ADJUSTED_AMOUNT: (adjusted, assessed_fee),
        Measure.ADJUSTED_DIFFERENCE: (adjusted, assessed_fee - fee),
        Measure.DECIDED_COUNT: (decided, ONE),
        Measure.EXPIRED_COUNT: (expired, ONE),
        Measure.EXPIRED_AMOUNT: (expired, fee),
        Measure.EVER_REJECTED: (ever_rejected, ONE),
        Measure.RESUBMITTED: (resubmitted, ONE),
        Measure.PAID_ON_RESUBMISSION: (and_(resubmitted, paid), ONE),
        Measure.REJECTED_AND_WRITTEN_OFF: (
            and_(ever_rejected, state == ClaimState.WRITTEN_OFF),
            ONE,
        ),
    }


def waiting_measures(claim: FromClause) -> Mapping[Measure, Counted]:
    """Over those columns of `claims` that already are of the claims that wait for something."""
    return {
        Measure.WAITING_COUNT: (true(), ONE),
        Measure.WAITING_AMOUNT: (true(), claim.c.submitted_fee),
    }


def suggestion_measures(suggestion: FromClause) -> Mapping[Measure, Counted]:
    """Over the columns of `ai_suggestions`."""
    event = suggestion.c.event_type
    accepted = event == SuggestionEvent.ACCEPTED
    return {
        Measure.GENERATED: (event == SuggestionEvent.GENERATED, ONE),
        Measure.ACCEPTED: (accepted, ONE),
        Measure.DISMISSED: (event == SuggestionEvent.DISMISSED, ONE),
        Measure.ACCEPTED_AMOUNT: (accepted, suggestion.c.revenue_impact),
    }


def is_rejected(claim: FromClause) -> Condition:
    return claim.c.state == ClaimState.REJECTED


def is_unsent(claim: FromClause) -> Condition:
    return claim.c.state.in_(UNSENT_STATES)


def total(measure: Measure, counted: Counted, sign: ColumnElement[int]) -> ColumnElement[Any]:
    """The sum of a measure over signed rows.

    A row that does not count adds NULL, which PostgreSQL's sum passes over at no cost: of the many
    measures a claim counts in a few.
    """
    counts, amount = counted
    nothing = NO_MONEY if measure.type is MONEY else ZERO
    return func.coalesce(
        func.sum(case((counts, sign * amount)), type_=measure.type), nothing, type_=measure.type
    )
