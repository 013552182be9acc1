"""From claim rows to rows of `analytics_cache`: the one expression behind live, rebuild, verify.

`contributions` sums the measures of signed claims by provider, month and each breakdown, then
turns every sum into the rows of the metrics that are defined on it. Given a batch's claims as
they are now (+1) and as they were (-1) it yields the change; given all claims (+1) it yields the
whole cache, `top_hsc_codes` apart (see `top_codes`).
"""

from typing import Any

from sqlalchemy import (
    CTE,
    TIMESTAMP,
    CompoundSelect,
    Date,
    Select,
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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from repositories.metrics.definitions import METRICS, TOP_LEVEL, Breakdown, Metric
from repositories.metrics.measures import ZERO, Measure, measures_of
from repositories.tables import cache_horizon
from repositories.vocabulary import Dimension

DIMENSIONS = tuple(Dimension)
ROW_COLUMNS = (
    "provider_id", "metric_key", "period_start", "period_end", "dimensions", "value",
)  # fmt: skip


def contributions(signed_claims: FromClause) -> CompoundSelect[Any]:
    """Rows (`ROW_COLUMNS`) that `signed_claims` add up to; sums that are zero are left out.

    `signed_claims` has the columns of `claims` and `sign` (+1 or -1). Months before the cache's
    horizon are left out.
    """
    sums = _sums(signed_claims)
    return union_all(
        *(_rows(metric, breakdown, sums) for metric in METRICS for breakdown in metric.by)
    )


def _sums(signed_claims: FromClause) -> CTE:
    """Every measure by (provider, month) and, beside it, by each breakdown in use."""
    fact = _facts(signed_claims).subquery("facts")
    month = [fact.c.provider_id, fact.c.period_start]
    dimensions = [fact.c[dimension] for dimension in DIMENSIONS]
    levels = {breakdown for metric in METRICS for breakdown in metric.by}
    groups = [
        tuple_(*month, fact.c[level]) if level else tuple_(*month)
        for level in sorted(levels, key=lambda level: level or "")
    ]
    totals = [func.sum(fact.c[measure], type_=measure.type).label(measure) for measure in Measure]
    return (
        select(*month, *dimensions, *totals, func.grouping(*dimensions).label("level"))
        .group_by(func.grouping_sets(*groups))
        .cte("sums")
    )


def _facts(claim: FromClause) -> Select[Any]:
    """One row per signed claim: its month, its dimensions, and its measures times its sign."""
    month = month_of(claim.c.date_of_service)
    return select(
        claim.c.provider_id,
        month.label("period_start"),
        *(claim.c[dimension] for dimension in DIMENSIONS),
        *((claim.c.sign * sql).label(measure) for measure, sql in measures_of(claim).items()),
    ).where(month >= _first_month())


def _rows(metric: Metric, breakdown: Breakdown, sums: CTE) -> Select[Any]:
    """The rows of one metric at one breakdown, out of the sums at that level."""
    source = Dimension.CLAIM_TYPE if metric.only else breakdown
    dimensions = _dimensions(breakdown, sums)
    wanted = [sums.c.level == _level(source)]
    if source is not TOP_LEVEL:
        wanted.append(sums.c[source].is_not(None))
    if metric.only:
        wanted.append(sums.c.claim_type == metric.only)
    fields = {name: sums.c[measure] for name, measure in metric.fields.items()}
    wanted.append(or_(*(total != ZERO for total in fields.values())))
    return select(
        sums.c.provider_id,
        literal_column(f"'{metric.key}'", Text).label("metric_key"),
        sums.c.period_start,
        last_day_of(sums.c.period_start).label("period_end"),
        dimensions.label("dimensions"),
        metric.shape.render(fields).label("value"),
    ).where(and_(*wanted))


def _dimensions(breakdown: Breakdown, sums: CTE) -> ColumnElement[Any]:
    if breakdown is TOP_LEVEL:
        return literal_column("NULL::jsonb", JSONB)
    name = literal_column(f"'{breakdown}'", Text)
    return func.jsonb_build_object(name, sums.c[breakdown])


def _level(breakdown: Breakdown) -> ColumnElement[int]:
    """What GROUPING() gives for a breakdown: a bit per dimension, 1 where it is *not* grouped."""
    bits = "".join("0" if dimension == breakdown else "1" for dimension in DIMENSIONS)
    return literal_column(str(int(bits, 2)))


def _first_month() -> ColumnElement[Any]:
    horizon = select(cache_horizon.c.first_month).scalar_subquery()
    return func.coalesce(horizon, literal_column("'-infinity'::date"))


def month_of(day: ColumnElement[Any]) -> ColumnElement[Any]:
    """The first day of a date's month. Through `timestamp`: no time zone takes part."""
    return cast(func.date_trunc(literal_column("'month'"), cast(day, TIMESTAMP)), Date)


def last_day_of(month: ColumnElement[Any]) -> ColumnElement[Any]:
    """The last day of the month that starts on `month`."""
    return cast(month + literal_column("interval '1 month -1 day'"), Date)
