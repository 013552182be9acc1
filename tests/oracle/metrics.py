"""`analytics_cache`: every metric key of the specification, from claims and the coach's events."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from tests.oracle.cache import CacheKey, Counted, Metric, Value, cache_key, without_zero_rows
from tests.oracle.claim_metrics import CLAIM_METRICS
from tests.oracle.claims import Claim
from tests.oracle.coach_metrics import COACH_METRICS
from tests.oracle.day_metrics import DAY_METRICS
from tests.oracle.rejection_metrics import REJECTION_METRICS
from tests.oracle.suggestions import Suggestion

OF_CLAIMS: Final = (*CLAIM_METRICS, *REJECTION_METRICS, *DAY_METRICS)
VALUE_OF: Final = {metric.metric_key: metric.value for metric in (*OF_CLAIMS, *COACH_METRICS)}


def cache_rows(
    claims: Iterable[Claim],
    suggestions: Iterable[Suggestion] = (),
    first_month: date | None = None,
) -> dict[CacheKey, Value]:
    """All rows that are not all zeros; months before the horizon `first_month` have none."""
    counted_in: defaultdict[CacheKey, list[Counted]] = defaultdict(list)
    for metrics, everything in ((OF_CLAIMS, claims), (COACH_METRICS, suggestions)):
        for counted in everything:
            for key in _keys(metrics, counted, first_month or date.min):
                counted_in[key].append(counted)
    return without_zero_rows(
        {key: VALUE_OF[key.metric_key](counted) for key, counted in counted_in.items()}
    )


def _keys(metrics: Iterable[Metric], counted: Counted, first_month: date) -> Iterator[CacheKey]:
    """The rows that a claim or an event of the coach counts in."""
    for metric in metrics:
        period = metric.period(counted) if metric.counts(counted) else None
        if period is None:
            continue
        start, end = period
        if start != end and start < first_month:
            continue
        for dimension in metric.rows:
            for dimensions in _values(counted, dimension):
                yield cache_key(counted["provider_id"], metric.metric_key, start, end, dimensions)


def _values(counted: Counted, dimension: str | None) -> Iterator[dict[str, object] | None]:
    """One row at the top level, one for each distinct code, none for a dimension that is null."""
    if dimension is None:
        yield None
    elif dimension == "explanatory_code":
        for code in set(counted["explanatory_codes"]):
            yield {dimension: code}
    elif counted[dimension] is not None:
        yield {dimension: counted[dimension]}
