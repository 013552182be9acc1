"""`analytics_cache` as claims and the coach's events say that it is, provider by provider.

What a row should be is one expression (`repositories.recomputation.expected`): for writing it, for
listing what would be written, and for `verify`.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.batch_providers import ONE
from repositories.metrics.contributions import ROW_COLUMNS, contributions
from repositories.metrics.definitions import LATEST_REVISION, METRICS
from repositories.metrics.lists import LISTS, ListMetric
from repositories.metrics.measures import is_rejected, is_unsent
from repositories.metrics.periods import MONTHS, MonthsSince, first_month
from repositories.metrics.shapes import text_of
from repositories.metrics.upsert import put_in_cache, same_row
from repositories.operations.tables import repaired_rows
from repositories.recomputation.claims import LOCKED, claims_as_they_should_be
from repositories.recomputation.expected import (
    IS_OF_A_DAY,
    expected_rows,
    is_before_horizon,
    may_be_absent,
    not_filled,
    waits_to_be_filled,
)
from repositories.tables import ai_suggestions, analytics_cache, claims, lists_due, providers
from repositories.vocabulary import ClaimState, Discrepancy

SINCE: Final = sa.bindparam("since", type_=sa.Date)
FOUND_BY: Final = sa.bindparam("found_by", type_=sa.Text)
CONFIRM: Final = sa.bindparam("confirm", type_=sa.Boolean)
KEYS = [text_of(each.key) for each in (*METRICS, *LISTS)]
CONFIRMED = "confirmed"
ITS_CLAIMS: Final = sa.select(claims).where(claims.c.provider_id == LOCKED)


async def repair_figures(
    connection: AsyncConnection,
    locked: Sequence[UUID],
    *,
    since: date | None,
    confirm: bool,
    found_by: str | None,
) -> Counter[str]:
    """Write the rows that differ, delete those that should not be there; how many of each
    `Discrepancy`, and how many were confirmed.

    In the caller's transaction, which has locked the providers and shares the horizon. What
    `since`, `confirm` and `found_by` mean says `repositories.recomputation.recompute.Scope`.
    """
    asked = {"locked": locked, "since": since, "confirm": confirm, "found_by": found_by}
    counts = (await connection.execute(_repair(whole=since is None), asked)).mappings().one()
    return Counter({name: int(count) for name, count in counts.items()})


class RowDifference(NamedTuple):
    """A row of `analytics_cache` as it is and as it should be, and why; None: no such row."""

    provider_id: UUID
    metric_key: str
    period_start: date
    dimensions: dict[str, str] | None
    why: Discrepancy
    value_before: dict[str, Any] | None
    value_after: dict[str, Any] | None


async def list_figures(
    connection: AsyncConnection,
    provider_ids: Sequence[UUID],
    strays: Sequence[UUID],
    *,
    since: date | None,
    history: bool,
) -> Sequence[RowDifference]:
    """What `repair_figures` would write or delete, in order of the rows' keys; with `history` once
    `repair_claims` has been there."""
    asked = {"locked": provider_ids, "since": since or date.min}
    if history:
        asked["strays"] = strays
    rows = await connection.execute(_list(whole=since is None, history=history), asked)
    return [RowDifference(**{**row, "why": Discrepancy(row["why"])}) for row in rows.mappings()]


@cache
def _list(*, whole: bool, history: bool) -> sa.Select[Any]:
    compared = compared_rows(claims_as_they_should_be() if history else ITS_CLAIMS, whole=whole)
    key = [compared.c[name] for name in RowDifference._fields[:4]]
    return (
        sa.select(
            *key, compared.c.why, compared.c.value_before, compared.c.value.label("value_after")
        )
        .where(compared.c.why.is_not(None))
        .order_by(*key)
    )


@cache
def _repair(*, whole: bool) -> sa.Select[Any]:
    compared = compared_rows(ITS_CLAIMS, whole=whole)
    differing = sa.select(compared).where(compared.c.why.is_not(None)).cte("differing")
    rows = sa.select(*(differing.c[name] for name in ROW_COLUMNS))
    put = put_in_cache(rows.where(differing.c.value.is_not(None)))
    steps = (
        put.cte("put"),
        _deleted(differing).returning(ONE).cte("deleted"),
        _kept(differing).returning(ONE).cte("kept"),
        _unmarked(whole=whole).returning(ONE).cte("unmarked"),
    )
    confirmed = _confirmed(compared).returning(ONE).cte("confirmed_rows")
    counts = [
        sa.select(sa.func.count())
        .select_from(differing)
        .where(differing.c.why == text_of(why))
        .scalar_subquery()
        .label(why)
        for why in Discrepancy
    ]
    confirmations = sa.select(sa.func.count()).select_from(confirmed).scalar_subquery()
    return sa.select(*counts, confirmations.label(CONFIRMED)).add_cte(*steps)


def compared_rows(its_claims: sa.Select[Any], *, whole: bool) -> sa.CTE:
    """Each row of `LOCKED` as it should be (`ROW_COLUMNS`; no `value`: not at all) beside the one
    that there is (`cache_id`, `value_before`), and `why` they differ, NULL where they do not.

    `its_claims` are the providers' claims. Not `whole`: the months from `SINCE` on alone, and of
    providers that wait to be filled the keys that they have.
    """
    expected = _expected(its_claims, whole=whole)
    found = _found(whole=whole).cte("found")

    def either(name: str) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(expected.c[name], found.c[name]).label(name)

    differs = sa.and_(
        expected.c.value.is_distinct_from(found.c.value),
        sa.or_(expected.c.value.is_not(None), ~may_be_absent(found), is_before_horizon(found)),
    )
    paired = (
        sa.select(
            *(either(name) for name in ROW_COLUMNS if name != "value"),
            expected.c.value,
            found.c.cache_id,
            found.c.value.label("value_before"),
            differs.label("differs"),
        )
        .select_from(expected.outerjoin(found, same_row(expected, found), full=True))
        .cte("paired")
    )
    return sa.select(
        *(paired.c[name] for name in (*ROW_COLUMNS, "cache_id", "value_before")),
        sa.case((paired.c.differs, _why(paired))).label("why"),
    ).cte("compared")


def _expected(its_claims: sa.Select[Any], *, whole: bool) -> sa.CTE:
    period = MONTHS if whole else MonthsSince(SINCE)
    its_suggestions = sa.select(ai_suggestions).where(ai_suggestions.c.provider_id == LOCKED)
    claim = its_claims.subquery("its_claims")
    own_claims = sa.select(claim)
    if not whole:
        # What waits can have a row of a day from long after its day of service.
        waits = sa.or_(is_unsent(claim), is_rejected(claim), claim.c.state == ClaimState.SUBMITTED)
        own_claims = own_claims.where(sa.or_(claim.c.date_of_service >= SINCE, waits))
        its_suggestions = its_suggestions.where(ai_suggestions.c.created_day >= SINCE)
    suggested = _signed(its_suggestions).cte("own_suggestions")
    sums = (
        contributions(_signed(own_claims).cte("own_claims"), claims, period, filled=whole),
        contributions(suggested, ai_suggestions, period, filled=whole),
    )

    def chosen(each: ListMetric, months: sa.Select[Any]) -> sa.CTE:
        month = months.subquery()
        wanted = [month.c.period_start >= first_month()]
        if not whole and each.since > 1:
            wanted.append(~not_filled(month.c.provider_id, each.since))
        return sa.select(month).where(*wanted).cte(f"months_{each.key}")

    both = (sums[0].cte("sums_of_claims"), sums[1].cte("sums_of_suggestions"))
    return expected_rows(both, suggested, chosen).cte("expected")


def _signed(rows: sa.Select[Any]) -> sa.Select[Any]:
    return rows.add_columns(ONE.label("sign"))


def _found(*, whole: bool) -> sa.Select[Any]:
    """Keys that are none of this version's are left to the newer one, where that filled them."""
    row = analytics_cache.c
    newer = sa.select(providers.c.provider_id).where(
        providers.c.provider_id == LOCKED, providers.c.metrics_revision > LATEST_REVISION
    )
    compared = [
        row.provider_id == LOCKED,
        sa.or_(row.metric_key.in_(KEYS), row.provider_id.not_in(newer)),
    ]
    if not whole:
        in_range = (row.period_start >= SINCE, row.metric_key.in_(IS_OF_A_DAY))
        compared.append(sa.or_(*in_range, is_before_horizon(analytics_cache)))
        compared.append(~waits_to_be_filled(analytics_cache))
    return sa.select(analytics_cache).where(*compared)


def _why(row: sa.CTE) -> sa.ColumnElement[str]:
    """Of a row that differs. The revision is still the one that the provider had."""
    due = sa.select(lists_due.c.provider_id, lists_due.c.metric_key, lists_due.c.period_start)
    marked = sa.tuple_(row.c.provider_id, row.c.metric_key, row.c.period_start).in_(
        due.where(lists_due.c.provider_id == LOCKED)
    )
    reasons = (
        (is_before_horizon(row), Discrepancy.BEFORE_HORIZON),
        (waits_to_be_filled(row), Discrepancy.NEW),
        (marked, Discrepancy.DUE),
    )
    return sa.case(
        *((is_so, text_of(why)) for is_so, why in reasons), else_=text_of(Discrepancy.WRONG)
    )


def _deleted(differing: sa.CTE) -> sa.Delete:
    gone = sa.select(differing.c.cache_id).where(differing.c.value.is_(None))
    return analytics_cache.delete().where(
        analytics_cache.c.provider_id == LOCKED, analytics_cache.c.cache_id.in_(gone)
    )


def _confirmed(compared: sa.CTE) -> sa.Update:
    right = sa.select(compared.c.cache_id).where(compared.c.why.is_(None))
    return (
        analytics_cache.update()
        .values(computed_at=sa.func.now())
        .where(CONFIRM, analytics_cache.c.provider_id == LOCKED)
        .where(analytics_cache.c.cache_id.in_(right))
    )


def _kept(differing: sa.CTE) -> sa.Insert:
    """What was wrong, before and after."""
    names = ("provider_id", "metric_key", "period_start", "dimensions")
    values = (differing.c.value_before, differing.c.value)
    wrong = (
        sa.select(FOUND_BY, *(differing.c[name] for name in names), *values)
        .where(differing.c.why == text_of(Discrepancy.WRONG), FOUND_BY.is_not(None))
        .order_by(*(differing.c[name] for name in names))
    )
    columns = ("found_by", *names, "value_before", "value_after")
    return repaired_rows.insert().from_select(columns, wrong)


def _unmarked(*, whole: bool) -> sa.Delete:
    """The lists that this brings up to their months."""
    marks = lists_due.delete().where(lists_due.c.provider_id == LOCKED)
    if whole:
        return marks
    return marks.where(lists_due.c.period_start >= SINCE)
