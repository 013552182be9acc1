"""Recomputing everything from the history and comparing it with what the tables hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.claims.facts import FACTS
from repositories.claims.fill import count_behind
from repositories.metrics.contributions import ROW_COLUMNS, contributions
from repositories.metrics.definitions import DAY_KEYS, METRICS
from repositories.metrics.lists import COACH_LISTS, LISTS, TOP_CODES, ListMetric, months_of
from repositories.metrics.periods import first_month
from repositories.metrics.shapes import text_of
from repositories.metrics.upsert import same_row
from repositories.postgres.database import Database
from repositories.statements import BY_HASH
from repositories.tables import (
    CLAIM_COLUMNS,
    FACT_COLUMNS,
    ai_suggestions,
    analytics_cache,
    claim_events,
    claims,
    lists_due,
    providers,
)
from repositories.vocabulary import MetricKey

Value = dict[str, Any]


@dataclass(frozen=True)
class CacheDifference:
    """A row of `analytics_cache` that is not what the claims add up to; None: no such row."""

    provider_id: UUID
    metric_key: str
    period_start: date
    dimensions: dict[str, str] | None
    expected: Value | None
    found: Value | None


@dataclass(frozen=True)
class Verification:
    """What was compared, and the first differences of each kind, `limit` at most.

    Of the providers that are `not_filled` yet the keys that are new in this version were not.
    """

    events: int
    claims: int
    cache_rows: int
    wrong_claims: Sequence[UUID]
    wrong_rows: Sequence[CacheDifference]
    not_filled: int = 0

    @property
    def clean(self) -> bool:
        return not self.wrong_claims and not self.wrong_rows


async def verify(database: Database, *, limit: int = 100) -> Verification:
    """Compare `claims` with the history, and `analytics_cache` with what it is made from.

    At one moment. Lists that are marked are not compared: they are known to be behind. Nor are keys
    that a provider's revision does not have yet: they wait to be filled.
    """
    async with database.snapshot() as connection:
        await connection.execute(sa.select(*BY_HASH))
        wrong_rows = await connection.execute(_wrong_rows().limit(limit))
        return Verification(
            events=await _size(connection, claim_events),
            claims=await _size(connection, claims),
            cache_rows=await _size(connection, analytics_cache),
            wrong_claims=(await connection.scalars(_wrong_claims().limit(limit))).all(),
            wrong_rows=[CacheDifference(*row) for row in wrong_rows],
            not_filled=await count_behind(connection),
        )


async def _size(connection: AsyncConnection, table: sa.Table) -> int:
    return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


@cache
def _wrong_claims() -> sa.Select[Any]:
    """Claims that are not the highest version in their history, whole, with the facts of all of it;
    or that are missing."""
    facts = [
        fact.over(claim_events).over(partition_by=claim_events.c.claim_id).label(name)
        for name, fact in FACTS.items()
    ]
    newest = (
        sa.select(claim_events, *facts)
        .ext(distinct_on(claim_events.c.claim_id))
        .order_by(claim_events.c.claim_id, claim_events.c.claim_version.desc())
        .subquery("newest")
    )
    compared = (*CLAIM_COLUMNS, *FACT_COLUMNS, "phn_erased_at")
    differs = sa.or_(*(newest.c[name].is_distinct_from(claims.c[name]) for name in compared))
    joined = newest.outerjoin(claims, claims.c.claim_id == newest.c.claim_id, full=True)
    claim_id = sa.func.coalesce(newest.c.claim_id, claims.c.claim_id)
    return sa.select(claim_id).select_from(joined).where(differs).order_by(claim_id)


@cache  # putting it together takes longer than a small database takes to answer it
def _wrong_rows() -> sa.Select[Any]:
    expected = expected_cache()
    found = _compared_rows().subquery("found")
    joined = expected.outerjoin(found, same_row(expected, found), full=True)

    def either(name: str) -> sa.ColumnElement[Any]:
        return sa.func.coalesce(expected.c[name], found.c[name]).label(name)

    wrong = sa.and_(
        expected.c.value.is_distinct_from(found.c.value),
        sa.or_(expected.c.value.is_not(None), ~_may_be_absent(found)),
    )
    shown = (either("provider_id"), either("metric_key"), either("period_start"))
    dimensions = either("dimensions")
    return (
        sa.select(*shown, dimensions, expected.c.value, found.c.value)
        .select_from(joined)
        .where(wrong)
        .order_by(*shown, dimensions)
    )


def expected_cache() -> sa.FromClause:
    """The cache's rows as claims and the coach's events add up to them; no list that is marked."""
    sums, parts = [], []
    for table in (claims, ai_suggestions):
        signed = sa.select(table, sa.literal_column("1").label("sign")).cte(f"signed_{table.name}")
        sums.append(contributions(signed, table).cte(f"expected_{table.name}"))
        parts.append(sa.select(*(sums[-1].c[name] for name in ROW_COLUMNS)))
    of_claims = sums[0]
    revenue = of_claims.c.metric_key == text_of(MetricKey.REVENUE_BY_HSC)
    with_codes = sa.select(of_claims.c.provider_id, of_claims.c.period_start).where(revenue)
    parts.append(TOP_CODES.rows(_unmarked(TOP_CODES, with_codes.distinct()), of_claims))
    with_rules = months_of(ai_suggestions)
    parts += [each.rows(_unmarked(each, with_rules), ai_suggestions) for each in COACH_LISTS]
    return sa.union_all(*parts).subquery("expected")


def _unmarked(each: ListMetric, months: sa.Select[Any]) -> sa.CTE:
    """Those of the months whose list is not known to be behind, and in the cache at all."""
    month = months.subquery()
    due = sa.select(lists_due.c.provider_id, lists_due.c.period_start).where(
        lists_due.c.metric_key == text_of(each.key)
    )
    wanted = [
        sa.tuple_(month.c.provider_id, month.c.period_start).not_in(due),
        month.c.period_start >= first_month(),
    ]
    if each.since > 1:
        wanted.append(~_not_filled(month.c.provider_id, each.since))
    return sa.select(month).where(*wanted).cte(f"months_{each.key}")


def _compared_rows() -> sa.Select[Any]:
    """The rows that are there, but for lists that are marked and keys that wait to be filled."""
    row = analytics_cache.c
    marked = sa.tuple_(row.provider_id, row.metric_key, row.period_start).in_(sa.select(lists_due))
    keys: dict[int, list[MetricKey]] = {}
    for each in (*METRICS, *LISTS):
        keys.setdefault(each.since, []).append(each.key)
    waiting = [
        sa.and_(row.metric_key.in_(later), _not_filled(row.provider_id, since))
        for since, later in keys.items()
        if since > 1
    ]
    return sa.select(analytics_cache).where(~marked, *(~each for each in waiting))


def _not_filled(provider_id: sa.ColumnElement[Any], since: int) -> sa.ColumnElement[bool]:
    behind = sa.select(providers.c.provider_id).where(providers.c.metrics_revision < since)
    return provider_id.in_(behind)


def _may_be_absent(row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a row has fallen back to nothing: it may be there or not, unless it is a day's."""
    zeros = [shape.nothing() for shape in {metric.shape for metric in METRICS}]
    nothing = row.c.value.in_([*zeros, *(each.nothing for each in LISTS)])
    return sa.and_(nothing, row.c.metric_key.not_in(DAY_KEYS))
