"""Where a metric's numbers come from: which rows, of which day, counted with what.

A source of months is kept by calendar month of its day and leaves out what lies before the cache's
horizon. A source of days has a row per day, which vanishes when nothing is left in it: what
depends on today is added up by whoever reads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import ColumnElement, FromClause

from repositories.metrics.measures import (
    Condition,
    Counted,
    Measure,
    claim_measures,
    is_rejected,
    is_unsent,
    suggestion_measures,
    waiting_measures,
)
from repositories.tables import ai_suggestions, claims
from repositories.vocabulary import ClaimState, Dimension


@dataclass(frozen=True, eq=False)
class Source:
    """`day` names the column that puts a row into its period."""

    table: sa.Table
    day: str
    measures: Callable[[FromClause], Mapping[Measure, Counted]]
    by_day: bool = False
    where: Callable[[FromClause], Condition] | None = None
    expanded: Callable[[FromClause], FromClause] | None = None

    def rows(self, signed: FromClause) -> FromClause:
        """What of `signed`, rows of the table with a `sign`, counts here."""
        return self.expanded(signed) if self.expanded else signed


def _by_code(signed: FromClause) -> FromClause:
    """A row for each distinct explanatory code of the latest event of a rejected claim."""
    code = sa.func.unnest(signed.c.explanatory_codes).label(Dimension.EXPLANATORY_CODE)
    codes = sa.select(code).distinct().correlate(signed).lateral("codes")
    columns: list[ColumnElement[Any]] = [*signed.c, codes.c[Dimension.EXPLANATORY_CODE]]
    return (
        sa.select(*columns)
        .select_from(signed.join(codes, sa.true()))
        .where(is_rejected(signed))
        .subquery("by_code")
    )


CLAIMS = Source(claims, "date_of_service", claim_measures)
REJECTION_CODES = Source(claims, "date_of_service", claim_measures, expanded=_by_code)
AGEING = Source(
    claims,
    "date_of_service",
    waiting_measures,
    by_day=True,
    where=lambda claim: sa.or_(claim.c.state == ClaimState.SUBMITTED, is_unsent(claim)),
)
DEADLINES = Source(
    claims,
    "submission_deadline",
    waiting_measures,
    by_day=True,
    where=lambda claim: sa.and_(
        sa.or_(is_unsent(claim), is_rejected(claim)), claim.c.submission_deadline.is_not(None)
    ),
)
DRAFTS = Source(
    claims,
    "created_day",
    waiting_measures,
    by_day=True,
    where=lambda claim: claim.c.state.in_((ClaimState.DRAFT, ClaimState.VALIDATED)),
)
SUGGESTIONS = Source(ai_suggestions, "created_day", suggestion_measures)
