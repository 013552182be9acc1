"""What happened to claims: each version of a claim beside the one before it, by the events' times.

The version orders a claim's events, whatever order they arrived in; an event's own time says on
which day it happened, in Alberta.
"""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import date, datetime

from repositories.calendar import day_in_alberta
from repositories.reports.rows import ClaimHistoryRow, ClaimRow
from repositories.vocabulary import ClaimState
from service.reports.documents.request import Period


@dataclass(frozen=True, slots=True)
class Change:
    """`before` is the next lower version that is known; None for the lowest of them."""

    before: ClaimRow | None
    after: ClaimRow
    occurred_at: datetime

    @property
    def day(self) -> date:
        return day_in_alberta(self.occurred_at)

    def within(self, period: Period) -> bool:
        return period.start <= self.day <= period.end

    def into(self, states: Collection[ClaimState]) -> bool:
        """Whether the claim came into one of these states from none of them."""
        return self.after.state in states and (
            self.before is None or self.before.state not in states
        )


async def claim_by_claim(history: AsyncIterator[ClaimHistoryRow]) -> AsyncIterator[list[Change]]:
    """The changes of one claim after the other, from the lowest version to what it is now."""
    changes: list[Change] = []
    async for row in history:
        before = changes[-1].after if changes else None
        if before and before.claim_id != row.claim.claim_id:
            yield changes
            before, changes = None, []
        changes.append(Change(before, row.claim, row.occurred_at))
    if changes:
        yield changes
