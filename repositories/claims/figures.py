"""The figures of any range of days, from the claims and the coach's events themselves.

A month's row cannot say what was in a week. The definitions are those of the rows; the cache's
horizon does not apply.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.metrics.contributions import contributions
from repositories.metrics.lists import COACH_LISTS, LISTS, TOP_CODES
from repositories.metrics.periods import Range
from repositories.tables import ai_suggestions, claims
from repositories.vocabulary import MetricKey

PROVIDER = sa.bindparam("provider_id", type_=sa.Uuid)
RANGE = Range(sa.bindparam("first", type_=sa.Date), sa.bindparam("last", type_=sa.Date))


@dataclass(frozen=True)
class Figure:
    """What the row of a month would say if the range were that month."""

    metric_key: MetricKey
    dimensions: dict[str, str] | None
    value: dict[str, Any]


async def figures(
    connection: AsyncConnection, provider_id: UUID, first: date, last: date
) -> Sequence[Figure]:
    """The provider's figures of the days from `first` to `last`, both included, in key order.

    A claim's day is its day of service; that of one of the coach's events is when it happened, in
    Alberta. What is nothing is left out. Metrics whose rows are of days have no figure of a range.
    """
    asked = {"provider_id": provider_id, "first": first, "last": last}
    found = await connection.execute(_statement(), asked)
    return [Figure(MetricKey(key), dimensions, value) for key, dimensions, value in found]


@cache
def _statement() -> sa.Select[Any]:
    """Made once: it is long."""
    of_claims = _sums(claims, claims.c.date_of_service)
    of_the_coach = _sums(ai_suggestions, ai_suggestions.c.created_day)
    asked = sa.select(PROVIDER.label("provider_id"), RANGE.first.label("period_start")).cte("asked")
    row = sa.union_all(
        sa.select(of_claims),
        sa.select(of_the_coach),
        TOP_CODES.rows(asked, of_claims, RANGE),
        *(each.rows(asked, ai_suggestions, RANGE) for each in COACH_LISTS),
    ).subquery("rows")
    dimensions, value = (sa.type_coerce(row.c[name], JSONB) for name in ("dimensions", "value"))
    return (
        sa.select(row.c.metric_key, dimensions, value)
        .where(value.not_in([each.nothing for each in LISTS]))
        .order_by(row.c.metric_key, row.c.dimensions.nulls_first())
    )


def _sums(table: sa.Table, day: sa.ColumnElement[Any]) -> sa.CTE:
    signed = sa.select(table, sa.literal_column("1").label("sign")).where(
        table.c.provider_id == PROVIDER, RANGE.counts(day)
    )
    rows = contributions(signed.cte(f"signed_{table.name}"), table, RANGE, filled=True)
    return rows.cte(f"rows_of_{table.name}")
