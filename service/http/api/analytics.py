"""`/v1/analytics`: figures."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from repositories.calendar import day_in_alberta
from repositories.claims.figures import figures
from repositories.reading.metrics import BRACKETS, brackets, is_filled, metric_rows
from repositories.vocabulary import MetricKey
from service.http.api import shapes
from service.http.api.parameters import (
    BracketsAsked,
    FiguresAsked,
    MetricsAsked,
    metric_place,
    to_cursor,
)
from service.http.api.problems import wrong_parameter
from service.http.api.reading import Analyst, answer, reading

analytics = APIRouter(prefix="/analytics", tags=["analytics"])


@analytics.get("/metrics", response_model=None, responses={200: {"model": shapes.Metrics}})
async def metrics(
    request: Request, caller: Analyst, asked: Annotated[MetricsAsked, Query()]
) -> Response:
    """Rows of `analytics_cache`: one figure's, of periods that lie wholly within the days.

    A month's row covers the calendar month. Where there is no row, the figure is zero, unless
    `filled` is false.
    """
    asked.require_order()
    after = metric_place(asked.cursor)
    use = reading(request)
    async with use.provider.scope(caller.provider_id) as connection:
        found = await metric_rows(
            connection,
            caller.provider_id,
            asked.key,
            asked.first,
            asked.last,
            by=asked.dimension,
            after=after,
            limit=asked.limit + 1,
        )
    page = list(found or ())[: asked.limit]
    behind = use.behind.now
    rows = [
        {
            "period_start": row.period_start,
            "period_end": row.period_end,
            "dimensions": row.dimensions,
            "value": row.value,
            "computed_at": row.computed_at,
            "stale": row.old and behind is not False,
        }
        for row in page
    ]
    more = found and len(found) > asked.limit
    following = to_cursor(page[-1].place) if more else None
    return answer(
        {
            "key": asked.key,
            "filled": found is not None,
            "behind": behind,
            "rows": rows,
            "next": following,
        }
    )


@analytics.get("/figures", response_model=None, responses={200: {"model": shapes.Figures}})
async def figures_of_range(
    request: Request, caller: Analyst, asked: Annotated[FiguresAsked, Query()]
) -> Response:
    """Figures of any range of days, which months' rows cannot give, of at most 730 days.

    A claim's day is its day of service. Figures that depend on today are in `/analytics/brackets`.
    """
    asked.require_order()
    if asked.key in BRACKETS:
        raise wrong_parameter("key", "it depends on today: see /analytics/brackets")
    async with reading(request).provider.scope(caller.provider_id) as connection:
        found = await figures(connection, caller.provider_id, asked.first, asked.last)
    shown = [
        {"key": each.metric_key, "dimensions": each.dimensions, "value": each.value}
        for each in found
        if asked.key in (None, each.metric_key)
    ]
    return answer({"from": asked.first, "to": asked.last, "figures": shown})


@analytics.get("/brackets", response_model=None, responses={200: {"model": shapes.Brackets}})
async def brackets_of_day(
    request: Request, caller: Analyst, asked: Annotated[BracketsAsked, Query()]
) -> Response:
    """Figures that depend on today, added up by bracket: claims that wait, by their age; deadlines
    within a week; drafts older than two weeks."""
    key = MetricKey(asked.key)
    as_of = asked.as_of or day_in_alberta(datetime.now(UTC))
    async with reading(request).provider.scope(caller.provider_id) as connection:
        filled = await is_filled(connection, caller.provider_id, key)
        found = await brackets(connection, key, as_of)
    return answer(
        {
            "key": key,
            "as_of": as_of,
            "filled": filled,
            "brackets": [vars(each) for each in found],
        }
    )
