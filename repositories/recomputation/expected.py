"""The rows of `analytics_cache` as claims and the coach's events add up to them."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from repositories.metrics.contributions import ROW_COLUMNS
from repositories.metrics.definitions import DAY_KEYS, METRICS
from repositories.metrics.lists import COACH_LISTS, LISTS, TOP_CODES, ListMetric, months_of
from repositories.metrics.periods import first_month
from repositories.metrics.shapes import text_of
from repositories.tables import providers
from repositories.vocabulary import MetricKey

# Of a list, and the months (provider_id, period_start) that it can have: those that are wanted.
ChosenMonths = Callable[[ListMetric, sa.Select[Any]], sa.CTE]

IS_OF_A_DAY = [text_of(key) for key in DAY_KEYS]
LATER_KEYS: dict[int, list[sa.ColumnElement[str]]] = {}  # by the revision that brought them
for each in (*METRICS, *LISTS):
    if each.since > 1:
        LATER_KEYS.setdefault(each.since, []).append(text_of(each.key))


def expected_rows(
    sums: tuple[sa.CTE, sa.CTE], suggestions: sa.FromClause, chosen: ChosenMonths
) -> sa.CompoundSelect[Any]:
    """All rows (`ROW_COLUMNS`): the sums, which are `contributions` of claims and of the coach's
    events, and the lists."""
    parts: list[sa.Select[Any]] = [
        sa.select(*(rows.c[name] for name in ROW_COLUMNS)) for rows in sums
    ]
    of_claims = sums[0]
    revenue = of_claims.c.metric_key == text_of(MetricKey.REVENUE_BY_HSC)
    with_codes = sa.select(of_claims.c.provider_id, of_claims.c.period_start).where(revenue)
    parts.append(TOP_CODES.rows(chosen(TOP_CODES, with_codes.distinct()), of_claims))
    with_rules = months_of(suggestions)
    parts += [each.rows(chosen(each, with_rules), suggestions) for each in COACH_LISTS]
    return sa.union_all(*parts)


def may_be_absent(row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a row has fallen back to nothing: it may be there or not, unless it is a day's."""
    zeros = [shape.nothing() for shape in {metric.shape for metric in METRICS}]
    nothing = row.c.value.in_([*zeros, *(each.nothing for each in LISTS)])
    return sa.and_(nothing, row.c.metric_key.not_in(IS_OF_A_DAY))


def is_before_horizon(row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a row is of a month that the figures cover no more. Days are never left out."""
    return sa.and_(row.c.metric_key.not_in(IS_OF_A_DAY), row.c.period_start < first_month())


def waits_to_be_filled(row: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a row's key came with a revision that its provider's figures do not have yet."""
    return sa.or_(
        *(
            sa.and_(row.c.metric_key.in_(keys), not_filled(row.c.provider_id, since))
            for since, keys in LATER_KEYS.items()
        )
    )


def not_filled(provider_id: sa.ColumnElement[Any], since: int) -> sa.ColumnElement[bool]:
    """Whether the provider's figures lack what came with the revision `since`."""
    behind = sa.select(providers.c.provider_id).where(providers.c.metrics_revision < since)
    return provider_id.in_(behind)
