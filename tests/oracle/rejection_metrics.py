"""The metric keys about what the payer refused, corrected, or never saw, by month of service."""

from typing import Final

from tests.oracle.cache import (
    TOP,
    TOP_AND_TYPE,
    Metric,
    Value,
    count_and_amount,
    month_of,
    percent,
    total,
    two_decimals,
)
from tests.oracle.claim_metrics import assessed, paid, submitted, wcb
from tests.oracle.claims import Claim


def rejected(claim: Claim) -> bool:
    return bool(claim["state"] == "REJECTED")


def adjusted(claim: Claim) -> bool:
    return bool(claim["state"] == "ADJUSTED")


def decided(claim: Claim) -> bool:
    return assessed(claim) or paid(claim) or rejected(claim) or adjusted(claim)


def wcb_decided(claim: Claim) -> bool:
    return wcb(claim) and decided(claim)


def expired(claim: Claim) -> bool:
    return bool(claim["state"] == "EXPIRED")


def ever_rejected(claim: Claim) -> bool:
    return claim["first_rejected_version"] is not None and claim["state"] != "WITHDRAWN"


def resubmitted(claim: Claim) -> bool:
    last_sent = claim["last_sent_version"]
    return last_sent is not None and bool(last_sent > claim["first_rejected_version"])


count_and_submitted = count_and_amount("submitted_fee")


def rejection_rate(claims: list[Claim]) -> Value:
    count = sum(map(rejected, claims))
    return {"rejected": count, "decided": len(claims), "rate": percent(count, len(claims))}


def at_a_site(claims: list[Claim]) -> Value:
    """Over submitted claims; whatever is paid, rejected or decided is one."""
    refused, answered = sum(map(rejected, claims)), sum(map(decided, claims))
    return {
        "submitted": len(claims),
        "paid": sum(map(paid, claims)),
        "rejected": refused,
        "decided": answered,
        "rejection_rate": percent(refused, answered),
    }


def with_difference(claims: list[Claim]) -> Value:
    assessed_fees, submitted_fees = total(claims, "assessed_fee"), total(claims, "submitted_fee")
    return {
        "count": len(claims),
        "amount": two_decimals(assessed_fees),
        "difference": two_decimals(assessed_fees - submitted_fees),
    }


def funnel(claims: list[Claim]) -> Value:
    """Over claims that were ever rejected."""
    sent_again = [claim for claim in claims if resubmitted(claim)]
    return {
        "rejected": len(claims),
        "resubmitted": len(sent_again),
        "paid_on_resubmission": sum(map(paid, sent_again)),
        "written_off": sum(claim["state"] == "WRITTEN_OFF" for claim in claims),
    }


MONTH: Final = month_of("date_of_service")

REJECTION_METRICS: Final = (
    Metric("multisite_claims", ("location_id",), submitted, at_a_site, MONTH),
    Metric("claims_rejected", TOP_AND_TYPE, rejected, count_and_submitted, MONTH),
    Metric("claims_adjusted", TOP_AND_TYPE, adjusted, with_difference, MONTH),
    Metric("rejection_rate_monthly", TOP_AND_TYPE, decided, rejection_rate, MONTH),
    Metric("wcb_rejection_rate", TOP, wcb_decided, rejection_rate, MONTH),
    Metric("rejection_by_hsc", ("hsc_code",), decided, rejection_rate, MONTH),
    Metric("rejection_by_code", ("explanatory_code",), rejected, count_and_submitted, MONTH),
    Metric("rejection_resolution_funnel", TOP_AND_TYPE, ever_rejected, funnel, MONTH),
    Metric("expired_claims", TOP_AND_TYPE, expired, count_and_submitted, MONTH),
)
