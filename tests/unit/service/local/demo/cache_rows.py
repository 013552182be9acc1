"""Rows of `analytics_cache` made by hand."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from repositories.records import SelectAnalyticsCache
from repositories.vocabulary import MetricKey

MONTH = date(2025, 11, 1)


def row(
    metric_key: MetricKey,
    value: dict[str, Any],
    dimensions: dict[str, str] | None = None,
    start: date = MONTH,
    end: date = date(2025, 11, 30),
) -> SelectAnalyticsCache:
    return SelectAnalyticsCache(
        cache_id=uuid4(),
        provider_id=uuid4(),
        metric_key=metric_key,
        period_start=start,
        period_end=end,
        dimensions=dimensions,
        value=value,
        computed_at=datetime.now(UTC),
    )
