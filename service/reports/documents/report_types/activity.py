"""What became of a period's claims; the words are those of the metrics."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal

from repositories.report_rows import ClaimRow
from repositories.vocabulary import ClaimState, ClaimType
from service.reports.documents.tallies import (
    DECIDED_STATES,
    PENDING_STATES,
    Tally,
    is_paid,
    percent,
)


@dataclass(slots=True)
class Activity:
    """Money is in dollars: submitted fees, but assessed fees of paid claims."""

    submitted: Tally = field(default_factory=Tally)
    paid: Tally = field(default_factory=Tally)
    rejected: Tally = field(default_factory=Tally)
    pending: Tally = field(default_factory=Tally)
    decided: int = 0

    def add(self, claim: ClaimRow) -> None:
        self.submitted.add(claim.submitted_fee)
        self.decided += claim.state in DECIDED_STATES
        if is_paid(claim):
            self.paid.add(claim.assessed_fee)
        if claim.state is ClaimState.REJECTED:
            self.rejected.add(claim.submitted_fee)
        if claim.state in PENDING_STATES:
            self.pending.add(claim.submitted_fee)

    @property
    def rejection_rate(self) -> Decimal | None:
        """Rejected of decided, in percent; None while nothing is decided."""
        return percent(self.rejected.count, self.decided)


@dataclass(slots=True)
class ActivityByPayer:
    """All claims, and those of each payer."""

    all: Activity = field(default_factory=Activity)
    of: dict[ClaimType, Activity] = field(
        default_factory=lambda: {payer: Activity() for payer in ClaimType}
    )

    def add(self, claim: ClaimRow) -> None:
        self.all.add(claim)
        self.of[claim.claim_type].add(claim)


async def activity_of(claims: AsyncIterator[ClaimRow]) -> ActivityByPayer:
    activity = ActivityByPayer()
    async for claim in claims:
        activity.add(claim)
    return activity
