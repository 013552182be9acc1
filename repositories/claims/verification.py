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
from repositories.metrics.contributions import contributions
from repositories.metrics.lists import ListMetric
from repositories.metrics.periods import first_month
from repositories.metrics.shapes import text_of
from repositories.metrics.upsert import same_row
from repositories.postgres.database import Database
from repositories.recomputation.expected import (
    expected_rows,
    is_before_horizon,
    may_be_absent,
    not_filled,
    waits_to_be_filled,
)
from repositories.statements import BY_HASH
from repositories.tables import (
    CLAIM_COLUMNS,
    FACT_COLUMNS,
    ai_suggestions,
    analytics_cache,
    claim_events,
    claims,
    lists_due,
)

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
        sa.or_(expected.c.value.is_not(None), ~may_be_absent(found)),
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

    def sums(table: sa.Table) -> sa.CTE:
        signed = sa.select(table, sa.literal_column("1").label("sign")).cte(f"signed_{table.name}")
        return contributions(signed, table).cte(f"expected_{table.name}")

    both = (sums(claims), sums(ai_suggestions))
    return expected_rows(both, ai_suggestions, _unmarked).subquery("expected")


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
        wanted.append(~not_filled(month.c.provider_id, each.since))
    return sa.select(month).where(*wanted).cte(f"months_{each.key}")


def _compared_rows() -> sa.Select[Any]:
    """The rows that are there, but for lists that are marked, keys that wait to be filled, and what
    lies before the horizon, which goes in its turn."""
    row = analytics_cache.c
    marked = sa.tuple_(row.provider_id, row.metric_key, row.period_start).in_(sa.select(lists_due))
    left_out = (marked, waits_to_be_filled(analytics_cache), is_before_horizon(analytics_cache))
    return sa.select(analytics_cache).where(*(~each for each in left_out))
