"""The metric keys of claims by month of service, line by line of the specification's table."""

from collections import defaultdict
from decimal import Decimal
from typing import Final

from tests.oracle.cache import (
    TOP,
    TOP_AND_TYPE,
    Metric,
    Value,
    average,
    count_and_amount,
    month_of,
    total,
    two_decimals,
)
from tests.oracle.claims import Claim


def sent(claim: Claim) -> bool:
    return claim["first_sent_version"] is not None


def submitted(claim: Claim) -> bool:
    return sent(claim) and claim["state"] != "WITHDRAWN"


def paid(claim: Claim) -> bool:
    return claim["state"] in ("PAID", "ADJUSTED")


def pending(claim: Claim) -> bool:
    return claim["state"] in ("SUBMITTED", "ASSESSED")


def wcb(claim: Claim) -> bool:
    return bool(claim["claim_type"] == "WCB")


def wcb_submitted(claim: Claim) -> bool:
    return wcb(claim) and submitted(claim)


def wcb_paid(claim: Claim) -> bool:
    return wcb(claim) and paid(claim)


def paid_with_premium(claim: Claim) -> bool:
    return paid(claim) and claim["rrnp_premium"] > 0


def assessed(claim: Claim) -> bool:
    return bool(claim["state"] == "ASSESSED")


count_and_submitted = count_and_amount("submitted_fee")
count_and_assessed = count_and_amount("assessed_fee")
count_and_premium = count_and_amount("rrnp_premium")


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


MONTH: Final = month_of("date_of_service")

CLAIM_METRICS: Final = (
    Metric("claims_submitted", TOP_AND_TYPE, submitted, count_and_submitted, MONTH),
    Metric("claims_paid", TOP_AND_TYPE, paid, count_and_assessed, MONTH),
    Metric("revenue_monthly", TOP_AND_TYPE, paid, count_and_assessed, MONTH),
    Metric("revenue_by_ba", ("ba_number",), paid, count_and_assessed, MONTH),
    Metric("revenue_by_location", ("location_id",), paid, count_and_assessed, MONTH),
    Metric("revenue_by_hsc", ("hsc_code",), paid, count_and_assessed, MONTH),
    Metric("avg_fee_per_claim", TOP_AND_TYPE, paid, with_average, MONTH),
    Metric("pending_pipeline", TOP_AND_TYPE, pending, count_and_submitted, MONTH),
    Metric("avg_resolution_time", TOP_AND_TYPE, paid, resolution_days, MONTH),
    Metric("top_hsc_codes", TOP, paid, top_codes, MONTH),
    Metric("wcb_by_form_type", ("form_id",), wcb_submitted, submitted_count_paid_amount, MONTH),
    Metric("wcb_timing_tier_dist", ("timing_tier",), wcb_submitted, count_only, MONTH),
    Metric("wcb_fee_tier_analysis", ("timing_tier",), wcb_paid, with_average, MONTH),
    Metric("wcb_revenue_trend", TOP, wcb_paid, count_and_assessed, MONTH),
    Metric("multisite_revenue", ("location_id",), paid, count_and_assessed, MONTH),
    Metric("multisite_rrnp", ("location_id",), paid_with_premium, count_and_premium, MONTH),
    Metric("claims_assessed", TOP_AND_TYPE, assessed, count_and_assessed, MONTH),
)
