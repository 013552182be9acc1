"""`top_hsc_codes`: the one metric that is no sum. It is derived from rows of `revenue_by_hsc`."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    cast,
    collate,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from repositories.metrics.contributions import last_day_of
from repositories.metrics.measures import ZERO
from repositories.metrics.shapes import COUNT_AND_AMOUNT
from repositories.vocabulary import Dimension, MetricKey

AT_MOST: ColumnElement[int] = literal_column("10")


def top_codes(months: FromClause, revenue: FromClause) -> Select[Any]:
    """Rows (`ROW_COLUMNS`) of `top_hsc_codes` for `months` (provider_id, period_start).

    `revenue` holds rows of `analytics_cache`, or of `contributions`; of these the rows of
    `revenue_by_hsc` are used. A month without codes gets an empty list.
    """
    place = _places(revenue).subquery("places")
    entry = func.jsonb_build_object(
        *(_word("hsc_code"), place.c.hsc_code),
        *(_word("count"), place.c.count),
        *(_word("amount"), cast(place.c.amount, Text)),
    )
    listed = func.jsonb_agg(aggregate_order_by(entry, place.c.place)).filter(
        place.c.place <= AT_MOST
    )
    same_month = and_(
        place.c.provider_id == months.c.provider_id, place.c.period_start == months.c.period_start
    )
    return (
        select(
            months.c.provider_id,
            _word(MetricKey.TOP_HSC_CODES).label("metric_key"),
            months.c.period_start,
            last_day_of(months.c.period_start).label("period_end"),
            literal_column("NULL::jsonb", JSONB).label("dimensions"),
            func.jsonb_build_object(
                _word("codes"), func.coalesce(listed, literal_column("'[]'::jsonb", JSONB))
            ).label("value"),
        )
        .select_from(months.outerjoin(place, same_month))
        .group_by(months.c.provider_id, months.c.period_start)
    )


def _places(revenue: FromClause) -> Select[Any]:
    """Each code's place in its month: by amount, then count, both falling, then by its bytes."""
    code = revenue.c.dimensions.op("->>", return_type=Text())(_word(Dimension.HSC_CODE))
    sums = COUNT_AND_AMOUNT.parse(revenue.c.value)
    order = (sums["amount"].desc(), sums["count"].desc(), collate(code, "C"))
    month = (revenue.c.provider_id, revenue.c.period_start)
    return select(
        *month,
        code.label("hsc_code"),
        sums["count"].label("count"),
        sums["amount"].label("amount"),
        func.row_number().over(partition_by=month, order_by=order).label("place"),
    ).where(revenue.c.metric_key == _word(MetricKey.REVENUE_BY_HSC), sums["count"] > ZERO)


def _word(word: str) -> Any:
    return literal_column(f"'{word}'", Text)
