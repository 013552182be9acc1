"""Rejections that were received, and what has become of the claims since.

A rejection is received when a claim comes into the state REJECTED from another one, at the time of
that event. A claim that was rejected twice in a period is one rejected claim; what has become of it
is what it is now, seen from the last of these rejections.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import takewhile

from repositories.reports.rows import ClaimRow
from repositories.vocabulary import RESUBMITTED_STATES, UNSENT_STATES, ClaimState
from service.reports.documents.changes import Change
from service.reports.documents.figures import PAID_STATES, is_paid
from service.reports.documents.request import Period

REJECTED = frozenset({ClaimState.REJECTED})


class Outcome(StrEnum):
    """What has become of a claim since it was rejected."""

    STILL_REJECTED = "STILL_REJECTED"
    BEING_CORRECTED = "BEING_CORRECTED"  # edited, not sent again yet
    RESUBMITTED = "RESUBMITTED"  # sent again, and neither paid nor rejected
    REJECTED_AGAIN = "REJECTED_AGAIN"  # sent again, and rejected once more
    PAID = "PAID"
    WRITTEN_OFF = "WRITTEN_OFF"
    EXPIRED = "EXPIRED"  # its deadline passed before it was sent again


OUTCOMES = {
    ClaimState.WRITTEN_OFF: Outcome.WRITTEN_OFF,
    ClaimState.EXPIRED: Outcome.EXPIRED,
    **dict.fromkeys(UNSENT_STATES, Outcome.BEING_CORRECTED),
    **dict.fromkeys(PAID_STATES, Outcome.PAID),
    **dict.fromkeys((ClaimState.SUBMITTED, ClaimState.ASSESSED), Outcome.RESUBMITTED),
}


@dataclass(frozen=True, slots=True)
class RejectedClaim:
    """A claim as it was when it was last rejected in the period, and as it is `now`.

    `codes` are those of all its rejections in the period, each once, as they were last corrected.
    """

    claim: ClaimRow
    rejected_at: datetime
    rejections: int
    codes: Sequence[str]
    outcome: Outcome
    now: ClaimRow

    @property
    def paid_fee(self) -> Decimal | None:
        """What it has brought since; None if it is not paid."""
        return self.now.assessed_fee if is_paid(self.now) else None


def rejected_claim(changes: Sequence[Change], period: Period) -> RejectedClaim | None:
    """None for a claim that no rejection was received for in the period."""
    received = [
        i for i, change in enumerate(changes) if change.into(REJECTED) and change.within(period)
    ]
    if not received:
        return None
    codes = [code for i in received for code in _as_corrected(changes[i:]).explanatory_codes]
    last, since = changes[received[-1]], changes[received[-1] + 1 :]
    return RejectedClaim(
        claim=last.after,
        rejected_at=last.occurred_at,
        rejections=len(received),
        codes=list(dict.fromkeys(codes)),
        outcome=_outcome([change.after for change in since]),
        now=changes[-1].after,
    )


def _as_corrected(changes: Sequence[Change]) -> ClaimRow:
    """The newest version of a rejection: it may be corrected before anything else happens."""
    *_, newest = takewhile(lambda change: change.after.state in REJECTED, changes)
    return newest.after


def _outcome(since: Sequence[ClaimRow]) -> Outcome:
    """`since` are the versions after the rejection."""
    now = since[-1].state if since else ClaimState.REJECTED
    if now is not ClaimState.REJECTED:
        return OUTCOMES[now]
    resubmitted = any(claim.state in RESUBMITTED_STATES for claim in since)
    return Outcome.REJECTED_AGAIN if resubmitted else Outcome.STILL_REJECTED
