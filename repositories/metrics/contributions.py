"""From signed rows to rows of `analytics_cache`: the one expression behind live, rebuild, verify.

`contributions` sums the measures of signed rows by provider, period and each breakdown, then turns
every sum into the rows of the metrics that are defined on it. Given a batch's claims as they are
now (+1) and as they were (-1) it yields the change; given all claims (+1) it yields the whole
cache, lists apart (see `lists`). Given the AI coach's events it yields the coach's rows.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import ColumnElement, FromClause

from repositories.metrics.definitions import (
    LATEST_REVISION,
    METRICS,
    TOP_LEVEL,
    TOTAL_AND_PAYER,
    Breakdown,
    Metric,
)
from repositories.metrics.measures import ZERO, total
from repositories.metrics.periods import MONTHS, Months, Period
from repositories.metrics.shapes import text_of
from repositories.tables import claims, providers
from repositories.vocabulary import Dimension

ROW_COLUMNS = (
    "provider_id", "metric_key", "period_start", "period_end", "dimensions", "value",
)  # fmt: skip
MetricRows = tuple[Metric, Breakdown]  # the rows of one metric at one breakdown


def contributions(
    signed: FromClause, table: sa.Table = claims, period: Period = MONTHS, *, filled: bool = False
) -> sa.CompoundSelect[Any]:
    """Rows (`ROW_COLUMNS`) that `signed` adds up to; sums that are zero are left out.

    `signed` has the columns of `table`, `claims` or `ai_suggestions`, and `sign` (+1 or -1). Keys
    that a provider's revision does not have yet are left out, unless the caller says that it has
    them `filled`. Another `period` than months leaves out the metrics that have rows per day.
    """
    behind = None if filled else _behind()
    wanted: list[MetricRows] = [
        (metric, breakdown)
        for metric in METRICS
        if metric.source.table is table and (isinstance(period, Months) or not metric.source.by_day)
        for breakdown in metric.by
    ]
    selects: list[sa.Select[Any]] = []
    for number, family in enumerate(_families(wanted)):
        sums = _sums(family, signed, period, f"{table.name}_sums_{number}")
        selects += [_rows(metric, breakdown, sums, period, behind) for metric, breakdown in family]
    return sa.union_all(*selects)


def behind_revision(provider_id: ColumnElement[Any], since: int, behind: sa.CTE) -> Any:
    """Whether the provider's rows do not have yet what came with the revision `since`."""
    return provider_id.in_(sa.select(behind.c.provider_id).where(behind.c.metrics_revision < since))


@cache  # one, however often a statement refers to it
def _behind() -> sa.CTE:
    """Providers that wait to be filled; almost always none, which an index says."""
    return (
        sa.select(providers.c.provider_id, providers.c.metrics_revision)
        .where(providers.c.metrics_revision < sa.literal_column(str(LATEST_REVISION)))
        .cte("behind")
    )


def _families(wanted: Iterable[MetricRows]) -> Iterable[Sequence[MetricRows]]:
    """What is summed together: rows of one source, the totals apart from the breakdowns.

    Totals need many measures for few groups, breakdowns few measures for many groups: apart,
    neither pays for the other.
    """

    def family(rows: MetricRows) -> tuple[int, bool]:
        metric, breakdown = rows
        return id(metric.source), metric.level(breakdown) in TOTAL_AND_PAYER

    order = {key: number for number, key in enumerate(dict.fromkeys(map(family, wanted)))}
    together = sorted(wanted, key=lambda rows: order[family(rows)])
    return [list(members) for _, members in groupby(together, family)]


def _sums(family: Sequence[MetricRows], signed: FromClause, period: Period, name: str) -> sa.CTE:
    """The measures that a family needs, by provider, period and each of its breakdowns."""
    source = family[0][0].source
    rows = source.rows(signed)
    levels = sorted({metric.level(by) for metric, by in family}, key=lambda level: level or "")
    dimensions = _dimensions(family)
    measures = {measure: None for metric, _ in family for measure in metric.fields.values()}
    day = rows.c[source.day]
    start = day if source.by_day else period.start(day)
    counted = source.measures(rows)
    groups = [
        sa.tuple_(rows.c.provider_id, start, *([rows.c[level]] if level else []))
        for level in levels
    ]
    sums = sa.select(
        rows.c.provider_id,
        start.label("period_start"),
        *(rows.c[dimension] for dimension in dimensions),
        *(total(measure, counted[measure], rows.c.sign).label(measure) for measure in measures),
        _grouping(rows, dimensions).label("level"),
    ).group_by(sa.func.grouping_sets(*groups))
    if source.where is not None:
        sums = sums.where(source.where(rows))
    if not source.by_day:
        sums = sums.where(period.counts(day))
    return sums.cte(name)


def _dimensions(family: Sequence[MetricRows]) -> list[Dimension]:
    used = {metric.level(by) for metric, by in family}
    return [dimension for dimension in Dimension if dimension in used]


def _rows(
    metric: Metric, breakdown: Breakdown, sums: sa.CTE, period: Period, behind: sa.CTE | None
) -> sa.Select[Any]:
    """The rows of one metric at one breakdown, out of the sums at that level."""
    level = metric.level(breakdown)
    fields = {name: sums.c[measure] for name, measure in metric.fields.items()}
    wanted = [
        sums.c.level == _level(level, sums), sa.or_(*(sum_ != ZERO for sum_ in fields.values()))
    ]  # fmt: skip
    if level is not TOP_LEVEL:
        wanted.append(sums.c[level].is_not(None))
    if metric.only:
        wanted.append(sums.c.claim_type == text_of(metric.only))
    if behind is not None and metric.since > 1:
        wanted.append(~behind_revision(sums.c.provider_id, metric.since, behind))
    start = sums.c.period_start
    return sa.select(
        sums.c.provider_id,
        text_of(metric.key).label("metric_key"),
        start,
        (start if metric.source.by_day else period.end(start)).label("period_end"),
        _dimension_of(breakdown, sums).label("dimensions"),
        metric.shape.render(fields).label("value"),
    ).where(sa.and_(*wanted))


def _dimension_of(breakdown: Breakdown, sums: sa.CTE) -> ColumnElement[Any]:
    if breakdown is TOP_LEVEL:
        return sa.literal_column("NULL::jsonb", JSONB)
    return sa.func.jsonb_build_object(text_of(breakdown), sums.c[breakdown])


def _grouping(rows: FromClause, dimensions: Sequence[Dimension]) -> ColumnElement[int]:
    """A bit per dimension, 1 where the group is *not* of one value of it."""
    if not dimensions:
        return ZERO
    return sa.func.grouping(*(rows.c[dimension] for dimension in dimensions))


def _level(level: Breakdown, sums: sa.CTE) -> ColumnElement[int]:
    """What `_grouping` gives for a breakdown."""
    dimensions = [dimension for dimension in Dimension if dimension in sums.c]
    bits = "".join("0" if dimension == level else "1" for dimension in dimensions)
    return sa.literal_column(str(int(bits or "0", 2)))
