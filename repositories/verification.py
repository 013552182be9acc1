"""Recomputing everything from the history and comparing it with what the tables hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    and_,
    cast,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.database import Database
from repositories.metrics.contributions import ROW_COLUMNS, contributions
from repositories.metrics.definitions import METRICS
from repositories.metrics.top_codes import top_codes
from repositories.tables import CLAIM_COLUMNS, analytics_cache, claim_events, claims, top_codes_due
from repositories.vocabulary import MetricKey

Value = dict[str, Any]
NO_CODES: Value = {"codes": []}


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
    """What was compared, and the first differences of each kind, `limit` at most."""

    events: int
    claims: int
    cache_rows: int
    wrong_claims: Sequence[UUID]
    wrong_rows: Sequence[CacheDifference]

    @property
    def clean(self) -> bool:
        return not self.wrong_claims and not self.wrong_rows


async def verify(database: Database, *, limit: int = 100) -> Verification:
    """Compare `claims` with the history, and `analytics_cache` with the claims, at one moment.

    Months that are marked for `top_hsc_codes` are not compared in it: they are known to be behind.
    """
    async with database.snapshot() as connection:
        wrong_rows = await connection.execute(_wrong_rows().limit(limit))
        return Verification(
            events=await _size(connection, claim_events),
            claims=await _size(connection, claims),
            cache_rows=await _size(connection, analytics_cache),
            wrong_claims=(await connection.scalars(_wrong_claims().limit(limit))).all(),
            wrong_rows=[CacheDifference(*row) for row in wrong_rows],
        )


async def _size(connection: AsyncConnection, table: Table) -> int:
    return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


def _wrong_claims() -> Select[Any]:
    """Claims that are not the highest version in their history, whole; or that are missing."""
    newest = (
        select(claim_events)
        .ext(distinct_on(claim_events.c.claim_id))
        .order_by(claim_events.c.claim_id, claim_events.c.claim_version.desc())
        .subquery("newest")
    )
    differs = or_(*(newest.c[name].is_distinct_from(claims.c[name]) for name in CLAIM_COLUMNS))
    joined = newest.outerjoin(claims, claims.c.claim_id == newest.c.claim_id, full=True)
    claim_id = func.coalesce(newest.c.claim_id, claims.c.claim_id)
    return select(claim_id).select_from(joined).where(differs).order_by(claim_id)


def _wrong_rows() -> Select[Any]:
    expected = expected_cache()
    found = _compared_rows().subquery("found")
    joined = expected.outerjoin(found, _same_row(expected, found), full=True)

    def either(name: str) -> ColumnElement[Any]:
        return func.coalesce(expected.c[name], found.c[name]).label(name)

    wrong = and_(
        expected.c.value.is_distinct_from(found.c.value),
        or_(expected.c.value.is_not(None), ~_is_zero(found.c.value)),
    )
    shown = (either("provider_id"), either("metric_key"), either("period_start"))
    dimensions = either("dimensions")
    return (
        select(*shown, dimensions, expected.c.value, found.c.value)
        .select_from(joined)
        .where(wrong)
        .order_by(*shown, dimensions)
    )


def expected_cache() -> FromClause:
    """The cache's rows as the claims add up to them, but for the top codes of marked months."""
    signed = select(claims, literal_column("1").label("sign")).cte("signed")
    sums = contributions(signed).cte("expected_sums")
    months = (
        select(sums.c.provider_id, sums.c.period_start)
        .where(sums.c.metric_key == literal_column(f"'{MetricKey.REVENUE_BY_HSC}'"))
        .where(tuple_(sums.c.provider_id, sums.c.period_start).not_in(select(top_codes_due)))
        .distinct()
        .cte("expected_months")
    )
    every_sum = select(*(sums.c[name] for name in ROW_COLUMNS))
    return union_all(every_sum, top_codes(months, sums)).subquery("expected")


def _compared_rows() -> Select[Any]:
    due = tuple_(analytics_cache.c.provider_id, analytics_cache.c.period_start).in_(
        select(top_codes_due)
    )
    is_top = analytics_cache.c.metric_key == MetricKey.TOP_HSC_CODES
    return select(analytics_cache).where(or_(~is_top, ~due))


def _same_row(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    """Equality of keys; a NULL is compared as the empty text, as no JSON is that."""

    def dimensions(row: FromClause) -> ColumnElement[Any]:
        return func.coalesce(cast(row.c.dimensions, Text), literal_column("''", Text))

    names = ("provider_id", "metric_key", "period_start", "period_end")
    keys = [one.c[name] == other.c[name] for name in names]
    return and_(*keys, dimensions(one) == dimensions(other))


def _is_zero(value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a `value` has fallen back to nothing: such a row may be there or not."""
    return value.in_([NO_CODES, *(shape.nothing() for shape in {m.shape for m in METRICS})])
