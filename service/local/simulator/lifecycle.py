"""What each step does to a claim, and the event that tells of it.

Which step follows which, and when, is in `courses`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from random import Random
from typing import Final

from service.local.simulator import claims, messages, suggestions
from service.local.simulator.claims import CENT, Claim, friday_from
from service.local.simulator.messages import Change

_ASSESSED_IN_FULL, _ASSESSED_IN_PART = 0.92, 0.97  # running total; what is left is paid at zero
_UNFINISHED_SHARE: Final = 0.4  # of drafts when they are first saved
# Made up in the shape of the plan's explanatory codes; the first are the most frequent.
_PLAN_CODES: Final = ("39B", "05", "20A", "67", "01C", "35", "63", "25B", "80G", "41")
_WCB_CODES: Final = ("W12", "W31", "W07", "W40")
_WITHOUT_CODE: Final = 0.4  # of WCB's rejections
_CODE_TWICE: Final = 0.03  # an answer that names a code twice

Data = dict[str, object]


class Step(Enum):
    """What happens to a claim on a day."""

    SAVE = "written down as a draft, often unfinished"
    EDIT = "written on"
    VALIDATE = "found complete"
    QUEUE = "put into the next transmission"
    SUBMIT = "sent to the payer for the first time"
    CORRECT = "sent again with another code or fee"
    ASSESS = "the payer names a fee"
    PAY = "paid"
    PAY_AGAIN = "the payment is stated again, with corrections"
    ADJUST = "paid, and corrected by the payer"
    REJECT = "refused by the payer"
    REVISE = "a draft again, after it was refused"
    RESUBMIT = "sent again after it was refused"
    WRITE_OFF = "given up"
    EXPIRE = "not sent, or not sent again, by its deadline"
    WITHDRAW = "taken back"
    # Of the coach; the claim stays as it is.
    GENERATED = "the coach suggests something"
    ACCEPTED = "the physician follows it"
    DISMISSED = "the physician does not"
    SUPPRESSED = "the physician silences the rule"
    UNSUPPRESSED = "the rule may speak again"
    REJECTION_FEEDBACK = "what it warned of came true"


BY_THE_PAYER: Final = {Step.ASSESS, Step.PAY, Step.PAY_AGAIN, Step.ADJUST, Step.REJECT}
_BY_THE_COACH: Final = {
    Step.GENERATED, Step.ACCEPTED, Step.DISMISSED,
    Step.SUPPRESSED, Step.UNSUPPRESSED, Step.REJECTION_FEEDBACK,
}  # fmt: skip
_REWRITES: Final = {Step.CORRECT, Step.REVISE, Step.RESUBMIT}
_FINISHES: Final = {Step.EDIT, Step.VALIDATE, Step.SUBMIT}


def take(step: Step, rng: Random, claim: Claim, at: datetime) -> Change:
    """Takes one step: the claim gets its next version, and the change says how it stands now."""
    if step in _BY_THE_COACH:
        return _coach(step, rng, claim, at)
    if step in _REWRITES:
        _rewrite(rng, claim)
    elif step is Step.SAVE:
        claims.hold_back(claim)
        if rng.random() < _UNFINISHED_SHARE:
            claims.leave_unfinished(rng, claim)
    elif step is Step.SUBMIT and claim.version:
        claims.send_on(claim, at.date())
    if step in _FINISHES:
        claim.unfinished = ()
    claim.created_at = claim.created_at or at
    claim.version += 1
    claim.data["claim_version"] = claim.version
    topic_key, details = _EVENTS[step]
    return Change(claim, topic_key, at, claim.as_it_stands() | details(rng, claim, at))


def _rewrite(rng: Random, claim: Claim) -> None:
    if claim.is_wcb:
        claims.set_fee(claim, claim.fee * Decimal(rng.randint(80, 120)) / 100)
    else:
        claims.price_by_code(rng, claim)


def _saved(stage: str) -> Callable[[Random, Claim, datetime], Data]:
    def details(_: Random, claim: Claim, at: datetime) -> Data:
        return {
            "stage": stage,
            "created_at": _moment(claim.created_at or at),
            "submission_deadline": _deadline(claim),
        }

    return details


def _submitted(_: Random, claim: Claim, at: datetime) -> Data:
    return {"submitted_at": _moment(at), "submission_deadline": _deadline(claim)}


def _assessed(rng: Random, claim: Claim, _: datetime) -> Data:
    claim.assessed_fee = _assess(rng, claim.fee)
    in_full = claim.assessed_fee == claim.fee
    codes = [] if in_full else _draw_codes(rng, _codes_of(claim))
    return {"assessed_fee": str(claim.assessed_fee), "explanatory_codes": codes}


def _paid(rng: Random, claim: Claim, at: datetime) -> Data:
    known = claim.assessed_fee
    return _payment(claim, _assess(rng, claim.fee) if known is None else known, at)


def _adjusted(rng: Random, claim: Claim, at: datetime) -> Data:
    assessed = (claim.fee * rng.randint(40, 110) / 100).quantize(CENT)
    codes = _draw_codes(rng, _codes_of(claim))
    return {**_payment(claim, assessed, at), "explanatory_codes": codes}


def _payment(claim: Claim, assessed: Decimal, at: datetime) -> Data:
    return {
        "assessed_fee": str(assessed),
        "payment_date": friday_from(at.date()).isoformat(),
        "rrnp_premium": str((assessed * claim.rrnp_rate).quantize(CENT)),
    }


def _rejected(rng: Random, claim: Claim, at: datetime) -> Data:
    claim.refused_on, claim.assessed_fee = at.date(), None
    unsaid = claim.is_wcb and rng.random() < _WITHOUT_CODE
    codes = [] if unsaid else _draw_codes(rng, _codes_of(claim))
    return {"explanatory_codes": codes, "submission_deadline": _deadline(claim)}


def _as_it_stands(_: Random, __: Claim, ___: datetime) -> Data:
    return {}


_EVENTS: Final[Mapping[Step, tuple[str, Callable[[Random, Claim, datetime], Data]]]] = {
    Step.SAVE: (messages.SAVED, _saved("DRAFT")),
    Step.EDIT: (messages.SAVED, _saved("DRAFT")),
    Step.VALIDATE: (messages.SAVED, _saved("VALIDATED")),
    Step.QUEUE: (messages.SAVED, _saved("QUEUED")),
    Step.SUBMIT: (messages.SUBMITTED, _submitted),
    Step.CORRECT: (messages.SUBMITTED, _submitted),
    Step.ASSESS: (messages.ASSESSED, _assessed),
    Step.PAY: (messages.PAID, _paid),
    Step.PAY_AGAIN: (messages.PAID, _paid),
    Step.ADJUST: (messages.ADJUSTED, _adjusted),
    Step.REJECT: (messages.REJECTED, _rejected),
    Step.REVISE: (messages.SAVED, _saved("DRAFT")),
    Step.RESUBMIT: (messages.SUBMITTED, _submitted),
    Step.WRITE_OFF: (messages.WRITTEN_OFF, _as_it_stands),
    Step.EXPIRE: (messages.EXPIRED, _as_it_stands),
    Step.WITHDRAW: (messages.WITHDRAWN, _as_it_stands),
}


def _coach(step: Step, rng: Random, claim: Claim, at: datetime) -> Change:
    provider_id = claim.provider.provider_id
    if step is Step.GENERATED:
        claim.suggestion = suggestions.suggest(rng, provider_id, claim.fee)
    if (suggestion := claim.suggestion) is None:
        raise ValueError(f"{step.name} is about a suggestion, and there is none")
    suggestion.dismissed |= step is Step.DISMISSED
    whose: Data = {"claim_id": claim.claim_id, "provider_id": provider_id}
    said = suggestions.told(rng, suggestion, step.name, at)
    return Change(claim, messages.SUGGESTION, at, whose | said)


def _assess(rng: Random, fee: Decimal) -> Decimal:
    """What the payer allows: mostly all of it, sometimes part of it, seldom nothing."""
    draw = rng.random()
    if draw < _ASSESSED_IN_FULL:
        return fee
    if draw < _ASSESSED_IN_PART:
        return (fee * Decimal(rng.randint(50, 95)) / 100).quantize(CENT)
    return Decimal("0.00")


def _codes_of(claim: Claim) -> tuple[str, ...]:
    return _WCB_CODES if claim.is_wcb else _PLAN_CODES


def _draw_codes(rng: Random, codes: tuple[str, ...]) -> list[str]:
    """One to three, the first of the list most often; seldom one of them twice."""
    draw = rng.random()
    count = 1 if draw < 0.75 else 2 if draw < 0.95 else 3
    drawn = [codes[int(rng.random() ** 2 * len(codes))] for _ in range(count)]
    return [*drawn, drawn[0]] if rng.random() < _CODE_TWICE else list(dict.fromkeys(drawn))


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _deadline(claim: Claim) -> str | None:
    return claim.deadline.isoformat() if claim.deadline else None
