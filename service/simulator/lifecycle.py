"""How a claim changes: submitted, perhaps corrected, paid, now and then paid again."""

from bisect import bisect
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Final

from service.simulator.claims import Claim, price_by_code, set_fee, submission_deadline
from service.simulator.fees import CENT
from service.simulator.messages import TOPIC_KEY_PAID, TOPIC_KEY_SUBMITTED, Change
from service.simulator.working_days import friday_from, next_working_day

CORRECTED_SHARE: Final = 0.05  # submitted once more before they are paid
PAID_SHARE: Final = 0.93  # the rest stay open
PAID_AGAIN_SHARE: Final = 0.03  # payments that the payer corrects later
# A claim is paid on the first Friday eight days or more after it was sent, or weeks after that.
_FIRST_PAYMENT: Final = timedelta(days=8)
PAYMENT_WEEKS: Final = (0.5, 0.78, 0.9, 0.96, 0.99, 1.0)  # running total of the shares, by week
_ASSESSED_IN_FULL, _ASSESSED_IN_PART = 0.92, 0.97  # running total; what is left is paid at zero
_NOTHING: Final = Decimal("0.00")


class Step(Enum):
    """What happens to a claim on a day."""

    SUBMIT = "sent to the payer for the first time"
    CORRECT = "sent again with another code or fee"
    PAY = "paid"
    PAY_AGAIN = "the payment is corrected"


def steps_after_submission(rng: Random, day: date) -> Iterator[tuple[date, Step]]:
    """What becomes of a claim submitted on a day; a correction always comes before payment."""
    if rng.random() < CORRECTED_SHARE:
        yield next_working_day(day + timedelta(days=rng.randint(1, 4))), Step.CORRECT
    if rng.random() < PAID_SHARE:
        weeks = bisect(PAYMENT_WEEKS, rng.random())
        yield first_payment_day(day) + timedelta(weeks=weeks), Step.PAY


def steps_after_payment(rng: Random, day: date) -> Iterator[tuple[date, Step]]:
    if rng.random() < PAID_AGAIN_SHARE:
        yield friday_from(day + timedelta(weeks=rng.randint(1, 9))), Step.PAY_AGAIN


def first_payment_day(submitted_on: date) -> date:
    return friday_from(submitted_on + _FIRST_PAYMENT)


def take(step: Step, rng: Random, claim: Claim, at: datetime) -> Change:
    """Takes one step: the claim gets its next version, and the change says how it stands now."""
    if step is Step.CORRECT:
        _correct(rng, claim)
    claim.version += 1
    claim.data["claim_version"] = claim.version
    return _submitted(claim, at) if step in _SUBMISSIONS else _paid(rng, claim, at)


_SUBMISSIONS: Final = frozenset({Step.SUBMIT, Step.CORRECT})


def _correct(rng: Random, claim: Claim) -> None:
    if claim.data["claim_type"] == "AHCIP":
        price_by_code(rng, claim)
    else:
        set_fee(claim, claim.fee * Decimal(rng.randint(80, 120)) / 100)


def _submitted(claim: Claim, at: datetime) -> Change:
    data = {
        **claim.data,
        "submitted_at": at.isoformat(timespec="milliseconds"),
        "submission_deadline": submission_deadline(claim),
    }
    return Change(claim, TOPIC_KEY_SUBMITTED, at, data)


def _paid(rng: Random, claim: Claim, at: datetime) -> Change:
    assessed = _assess(rng, claim.fee)
    data = {
        **claim.data,
        "assessed_fee": str(assessed),
        "payment_date": friday_from(at.date()).isoformat(),
        "rrnp_premium": str((assessed * claim.rrnp_rate).quantize(CENT)),
    }
    return Change(claim, TOPIC_KEY_PAID, at, data)


def _assess(rng: Random, fee: Decimal) -> Decimal:
    """What the payer allows: mostly all of it, sometimes part of it, seldom nothing."""
    draw = rng.random()
    if draw < _ASSESSED_IN_FULL:
        return fee
    if draw < _ASSESSED_IN_PART:
        return (fee * Decimal(rng.randint(50, 95)) / 100).quantize(CENT)
    return _NOTHING
