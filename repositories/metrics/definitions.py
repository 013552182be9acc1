"""The metrics, each defined once. A new metric key is one more row here, and its test.

`metrics.lists` has those that are lists and no sums.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from repositories.metrics import shapes
from repositories.metrics.measures import Measure
from repositories.metrics.shapes import COUNT_AND_AMOUNT, REJECTION_RATE, Shape
from repositories.metrics.sources import (
    AGEING,
    CLAIMS,
    DEADLINES,
    DRAFTS,
    REJECTION_CODES,
    SUGGESTIONS,
    Source,
)
from repositories.vocabulary import ClaimType, Dimension, MetricKey

# What a provider's `metrics_revision` is raised to once all its keys are filled. A metric that is
# new, or whose value has other keys than before, comes with the next number as its `since`.
LATEST_REVISION = 2

TOP_LEVEL = None  # the row whose `dimensions` is SQL NULL

Breakdown = Dimension | None


@dataclass(frozen=True)
class Metric:
    """One key: which rows it has (`by`), and where each field of its value comes from.

    `only` restricts it to one payer. The form and timing breakdowns need no restriction: only WCB
    claims have a form or a tier.
    """

    key: MetricKey
    by: tuple[Breakdown, ...]
    shape: Shape
    fields: Mapping[str, Measure] = field(hash=False)
    source: Source = CLAIMS
    only: ClaimType | None = None
    since: int = 1

    def level(self, breakdown: Breakdown) -> Breakdown:
        """By what the sums are grouped that its rows at `breakdown` are made of."""
        return Dimension.CLAIM_TYPE if self.only else breakdown


SUBMITTED = {"count": Measure.SUBMITTED_COUNT, "amount": Measure.SUBMITTED_AMOUNT}
PAID = {"count": Measure.PAID_COUNT, "amount": Measure.PAID_AMOUNT}
PENDING = {"count": Measure.PENDING_COUNT, "amount": Measure.PENDING_AMOUNT}
PREMIUM = {"count": Measure.PREMIUM_COUNT, "amount": Measure.PREMIUM_AMOUNT}
RESOLUTION = {"count": Measure.PAID_COUNT, "days": Measure.PAID_DAYS}
FORM = {"count": Measure.SUBMITTED_COUNT, "amount": Measure.PAID_AMOUNT}
TIER = {"count": Measure.SUBMITTED_COUNT}
ASSESSED = {"count": Measure.ASSESSED_COUNT, "amount": Measure.ASSESSED_AMOUNT}
REJECTED = {"count": Measure.REJECTED_COUNT, "amount": Measure.REJECTED_AMOUNT}
ADJUSTED = {
    "count": Measure.ADJUSTED_COUNT,
    "amount": Measure.ADJUSTED_AMOUNT,
    "difference": Measure.ADJUSTED_DIFFERENCE,
}
EXPIRED = {"count": Measure.EXPIRED_COUNT, "amount": Measure.EXPIRED_AMOUNT}
RATE = {"rejected": Measure.REJECTED_COUNT, "decided": Measure.DECIDED_COUNT}
SITE = {"submitted": Measure.SUBMITTED_COUNT, "paid": Measure.PAID_COUNT} | RATE
FUNNEL = {
    "rejected": Measure.EVER_REJECTED,
    "resubmitted": Measure.RESUBMITTED,
    "paid_on_resubmission": Measure.PAID_ON_RESUBMISSION,
    "written_off": Measure.REJECTED_AND_WRITTEN_OFF,
}
WAITING = {"count": Measure.WAITING_COUNT, "amount": Measure.WAITING_AMOUNT}
COACH = {
    "generated": Measure.GENERATED,
    "accepted": Measure.ACCEPTED,
    "dismissed": Measure.DISMISSED,
}
RECOVERED = {"count": Measure.ACCEPTED, "amount": Measure.ACCEPTED_AMOUNT}

TOTAL = (TOP_LEVEL,)
TOTAL_AND_PAYER = (TOP_LEVEL, Dimension.CLAIM_TYPE)
BA = (Dimension.BA_NUMBER,)
LOCATION = (Dimension.LOCATION_ID,)
CODE = (Dimension.HSC_CODE,)
FORM_ID = (Dimension.FORM_ID,)
TIMING = (Dimension.TIMING_TIER,)
REJECTION_CODE = (Dimension.EXPLANATORY_CODE,)
CATEGORY = (Dimension.CATEGORY,)

METRICS = (
    Metric(MetricKey.CLAIMS_SUBMITTED, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, SUBMITTED),
    Metric(MetricKey.CLAIMS_PAID, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.REVENUE_MONTHLY, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.REVENUE_BY_BA, BA, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.REVENUE_BY_LOCATION, LOCATION, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.REVENUE_BY_HSC, CODE, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.AVG_FEE_PER_CLAIM, TOTAL_AND_PAYER, shapes.AVERAGE_FEE, PAID),
    Metric(MetricKey.PENDING_PIPELINE, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, PENDING),
    Metric(MetricKey.AVG_RESOLUTION_TIME, TOTAL_AND_PAYER, shapes.AVERAGE_DAYS, RESOLUTION),
    Metric(MetricKey.WCB_BY_FORM_TYPE, FORM_ID, COUNT_AND_AMOUNT, FORM),
    Metric(MetricKey.WCB_TIMING_TIER_DIST, TIMING, shapes.COUNT_ONLY, TIER),
    Metric(MetricKey.WCB_FEE_TIER_ANALYSIS, TIMING, shapes.AVERAGE_FEE, PAID),
    Metric(MetricKey.WCB_REVENUE_TREND, TOTAL, COUNT_AND_AMOUNT, PAID, only=ClaimType.WCB),
    Metric(MetricKey.MULTISITE_REVENUE, LOCATION, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.MULTISITE_CLAIMS, LOCATION, shapes.SITE, SITE, since=2),
    Metric(MetricKey.MULTISITE_RRNP, LOCATION, COUNT_AND_AMOUNT, PREMIUM),
    Metric(MetricKey.CLAIMS_ASSESSED, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, ASSESSED, since=2),
    Metric(MetricKey.CLAIMS_REJECTED, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, REJECTED, since=2),
    Metric(MetricKey.CLAIMS_ADJUSTED, TOTAL_AND_PAYER, shapes.ADJUSTMENT, ADJUSTED, since=2),
    Metric(MetricKey.REJECTION_RATE_MONTHLY, TOTAL_AND_PAYER, REJECTION_RATE, RATE, since=2),
    Metric(MetricKey.WCB_REJECTION_RATE, TOTAL, REJECTION_RATE, RATE, only=ClaimType.WCB, since=2),
    Metric(MetricKey.REJECTION_BY_HSC, CODE, REJECTION_RATE, RATE, since=2),
    Metric(
        MetricKey.REJECTION_BY_CODE,
        REJECTION_CODE,
        COUNT_AND_AMOUNT,
        REJECTED,
        REJECTION_CODES,
        since=2,
    ),
    Metric(MetricKey.REJECTION_RESOLUTION_FUNNEL, TOTAL_AND_PAYER, shapes.FUNNEL, FUNNEL, since=2),
    Metric(MetricKey.EXPIRED_CLAIMS, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, EXPIRED, since=2),
    Metric(MetricKey.AGING_BRACKETS, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, WAITING, AGEING, since=2),
    Metric(
        MetricKey.APPROACHING_DEADLINE,
        TOTAL_AND_PAYER,
        COUNT_AND_AMOUNT,
        WAITING,
        DEADLINES,
        since=2,
    ),
    Metric(MetricKey.STALE_CLAIMS, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, WAITING, DRAFTS, since=2),
    Metric(
        MetricKey.AI_COACH_ACCEPTANCE_RATE,
        TOTAL,
        shapes.ACCEPTANCE,
        COACH,
        SUGGESTIONS,
        since=2,
    ),
    Metric(
        MetricKey.AI_COACH_REVENUE_RECOVERED,
        TOTAL,
        COUNT_AND_AMOUNT,
        RECOVERED,
        SUGGESTIONS,
        since=2,
    ),
    Metric(
        MetricKey.AI_COACH_BY_CATEGORY,
        CATEGORY,
        shapes.BY_CATEGORY,
        COACH | {"amount": Measure.ACCEPTED_AMOUNT},
        SUGGESTIONS,
        since=2,
    ),
)
DAY_KEYS = tuple(metric.key for metric in METRICS if metric.source.by_day)
