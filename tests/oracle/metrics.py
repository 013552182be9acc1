"""`analytics_cache`: every metric key of the specification's first table, line by line."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from tests.oracle.claims import Claim

Value = dict[str, Any]  # what `value` holds
Dimensions = tuple[tuple[str, str], ...]  # sorted pairs


class CacheKey(NamedTuple):
    """What makes a row of `analytics_cache` unique; `dimensions` is None at the top level."""

    provider_id: UUID
    metric_key: str
    period_start: date
    period_end: date
    dimensions: Dimensions | None


class Metric(NamedTuple):
    """One line of the table: which rows (None is the top level), of which claims, which value."""

    metric_key: str
    rows: tuple[str | None, ...]
    counts: Callable[[Claim], bool]
    value: Callable[[list[Claim]], Value]


def submitted(_claim: Claim) -> bool:
    return True  # every claim that is known: each event implies a submission


def paid(claim: Claim) -> bool:
    return claim["state"] in ("PAID", "ADJUSTED")


def pending(claim: Claim) -> bool:
    return claim["state"] in ("SUBMITTED", "ASSESSED")


def wcb(claim: Claim) -> bool:
    return bool(claim["claim_type"] == "WCB")


def wcb_paid(claim: Claim) -> bool:
    return wcb(claim) and paid(claim)


def paid_with_premium(claim: Claim) -> bool:
    return paid(claim) and claim["rrnp_premium"] > 0


def two_decimals(number: Decimal) -> str:
    """Rounded half away from zero; nothing here is negative, so half up is the same."""
    return str(number.quantize(Decimal("0.01"), ROUND_HALF_UP))


def total(claims: list[Claim], money: str) -> Decimal:
    return sum((claim[money] for claim in claims), Decimal(0))


def average(whole: Decimal, count: int) -> str:
    return two_decimals(whole / count) if count else "0.00"


def count_and_submitted(claims: list[Claim]) -> Value:
    return {"count": len(claims), "amount": two_decimals(total(claims, "submitted_fee"))}


def count_and_assessed(claims: list[Claim]) -> Value:
    return {"count": len(claims), "amount": two_decimals(total(claims, "assessed_fee"))}


def count_and_premium(claims: list[Claim]) -> Value:
    return {"count": len(claims), "amount": two_decimals(total(claims, "rrnp_premium"))}


def count_only(claims: list[Claim]) -> Value:
    return {"count": len(claims)}


def with_average(claims: list[Claim]) -> Value:
    mean = average(total(claims, "assessed_fee"), len(claims))
    return {**count_and_assessed(claims), "average": mean}


def resolution_days(claims: list[Claim]) -> Value:
    days = sum((claim["payment_date"] - claim["date_of_service"]).days for claim in claims)
    mean = average(Decimal(days), len(claims))
    return {"count": len(claims), "days": days, "average_days": mean}


def top_codes(claims: list[Claim]) -> Value:
    by_code = defaultdict(list)
    for claim in claims:
        if claim["hsc_code"] is not None:
            by_code[claim["hsc_code"]].append(claim)
    ranked = sorted(
        by_code,
        key=lambda code: (
            -total(by_code[code], "assessed_fee"),
            -len(by_code[code]),
            code.encode(),
        ),
    )
    return {"codes": [{"hsc_code": c, **count_and_assessed(by_code[c])} for c in ranked[:10]]}


def submitted_count_paid_amount(claims: list[Claim]) -> Value:
    money = total([claim for claim in claims if paid(claim)], "assessed_fee")
    return {"count": len(claims), "amount": two_decimals(money)}


def submitted_and_paid_counts(claims: list[Claim]) -> Value:
    return {"submitted": len(claims), "paid": sum(paid(claim) for claim in claims)}


TOP: Final = (None,)
TOP_AND_TYPE: Final = (None, "claim_type")

METRICS: Final = (
    Metric("claims_submitted", TOP_AND_TYPE, submitted, count_and_submitted),
    Metric("claims_paid", TOP_AND_TYPE, paid, count_and_assessed),
    Metric("revenue_monthly", TOP_AND_TYPE, paid, count_and_assessed),
    Metric("revenue_by_ba", ("ba_number",), paid, count_and_assessed),
    Metric("revenue_by_location", ("location_id",), paid, count_and_assessed),
    Metric("revenue_by_hsc", ("hsc_code",), paid, count_and_assessed),
    Metric("avg_fee_per_claim", TOP_AND_TYPE, paid, with_average),
    Metric("pending_pipeline", TOP_AND_TYPE, pending, count_and_submitted),
    Metric("avg_resolution_time", TOP_AND_TYPE, paid, resolution_days),
    Metric("top_hsc_codes", TOP, paid, top_codes),
    Metric("wcb_by_form_type", ("form_id",), wcb, submitted_count_paid_amount),
    Metric("wcb_timing_tier_dist", ("timing_tier",), wcb, count_only),
    Metric("wcb_fee_tier_analysis", ("timing_tier",), wcb_paid, with_average),
    Metric("wcb_revenue_trend", TOP, wcb_paid, count_and_assessed),
    Metric("multisite_revenue", ("location_id",), paid, count_and_assessed),
    Metric("multisite_claims", ("location_id",), submitted, submitted_and_paid_counts),
    Metric("multisite_rrnp", ("location_id",), paid_with_premium, count_and_premium),
)


def cache_rows(claims: Iterable[Claim]) -> dict[CacheKey, Value]:
    """All rows that are not all zeros."""
    counted_in: defaultdict[CacheKey, list[Claim]] = defaultdict(list)
    for claim in claims:
        for key in _keys(claim):
            counted_in[key].append(claim)
    value_of = {metric.metric_key: metric.value for metric in METRICS}
    return without_zero_rows({key: value_of[key.metric_key](c) for key, c in counted_in.items()})


def _keys(claim: Claim) -> Iterator[CacheKey]:
    """The rows that a claim counts in: none for a dimension that is null."""
    provider_id, start = claim["provider_id"], claim["date_of_service"].replace(day=1)
    end = (start + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    for metric in METRICS:
        for dimension in metric.rows if metric.counts(claim) else ():
            if dimension is None:
                yield cache_key(provider_id, metric.metric_key, start, end, None)
            elif claim[dimension] is not None:
                one = {dimension: claim[dimension]}
                yield cache_key(provider_id, metric.metric_key, start, end, one)


def cache_key(
    provider_id: UUID,
    metric_key: str,
    period_start: date,
    period_end: date,
    dimensions: Mapping[Any, Any] | None,
) -> CacheKey:
    """The key of a row; `dimensions` as the column holds them, or None for SQL NULL."""
    pairs = None
    if dimensions is not None:
        pairs = tuple(sorted((str(name), str(value)) for name, value in dimensions.items()))
    return CacheKey(provider_id, metric_key, period_start, period_end, pairs)


def without_zero_rows(rows: Mapping[CacheKey, Value]) -> dict[CacheKey, Value]:
    """The rows less those that have fallen back to nothing: such a row may be there or not."""
    return {key: value for key, value in rows.items() if not _is_zero(value)}


def _is_zero(value: Value) -> bool:
    return bool(value) and all(_is_nothing(part) for part in value.values())


def _is_nothing(part: object) -> bool:
    return part in ("0.00", []) or (type(part) is int and part == 0)
