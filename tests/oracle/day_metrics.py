"""The metric keys with a row per day: what depends on today is added up by whoever reads them."""

from typing import Final

from tests.oracle.cache import TOP_AND_TYPE, Metric, count_and_amount, each_day
from tests.oracle.claims import UNSENT, Claim


def waiting(claim: Claim) -> bool:
    return claim["state"] in ("SUBMITTED", *UNSENT)


def can_still_be_sent(claim: Claim) -> bool:
    return claim["state"] in ("REJECTED", *UNSENT)


def unfinished(claim: Claim) -> bool:
    return claim["state"] in ("DRAFT", "VALIDATED")


count_and_submitted = count_and_amount("submitted_fee")

DAY_METRICS: Final = (
    Metric(
        "aging_brackets",
        TOP_AND_TYPE, waiting, count_and_submitted, each_day("date_of_service"),
    ),
    Metric(
        "approaching_deadline",
        TOP_AND_TYPE, can_still_be_sent, count_and_submitted, each_day("submission_deadline"),
    ),
    Metric(
        "stale_claims",
        TOP_AND_TYPE, unfinished, count_and_submitted, each_day("created_day"),
    ),
)  # fmt: skip
