"""Facts of a claim's whole history, whatever the order in which its events arrived.

What a claim *is* follows from its highest version alone; whether it was ever sent, or sent again
after a rejection, does not. Each fact is a lowest or a highest version, so those of a batch and
those that were known combine without reading the history again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from repositories.vocabulary import RESUBMITTED_STATES, SENT_STATES, ClaimState


@dataclass(frozen=True)
class Fact:
    """The lowest or the highest version with one of these states; NULL where there is none."""

    states: Sequence[ClaimState]
    lowest: bool

    def over(self, events: sa.FromClause) -> sa.FunctionElement[Any]:
        """An aggregate, or with OVER a window function, of rows with `state`, `claim_version`."""
        of_all = sa.func.min if self.lowest else sa.func.max
        in_a_state = sa.case((events.c.state.in_(self.states), events.c.claim_version))
        return of_all(in_a_state)

    def of_both(
        self, one: sa.ColumnElement[Any], other: sa.ColumnElement[Any]
    ) -> sa.ColumnElement[Any]:
        """PostgreSQL's functions leave out NULLs."""
        return (sa.func.least if self.lowest else sa.func.greatest)(one, other)


# By the columns of `claims` that hold them.
FACTS: Final[Mapping[str, Fact]] = {
    "first_sent_version": Fact(SENT_STATES, lowest=True),
    "first_rejected_version": Fact((ClaimState.REJECTED,), lowest=True),
    "last_sent_version": Fact(RESUBMITTED_STATES, lowest=False),
}
