"""The metrics, each defined once. A new metric key is one more row here, and its test.

`top_hsc_codes` is the one that is not a sum; `metrics.top_codes` derives it from the rows of
`revenue_by_hsc`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from repositories.metrics.measures import Measure
from repositories.metrics.shapes import (
    AVERAGE_DAYS,
    AVERAGE_FEE,
    COUNT_AND_AMOUNT,
    COUNT_ONLY,
    SUBMITTED_AND_PAID,
    Shape,
)
from repositories.vocabulary import ClaimType, Dimension, MetricKey

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
    only: ClaimType | None = None


SUBMITTED = {"count": Measure.SUBMITTED_COUNT, "amount": Measure.SUBMITTED_AMOUNT}
PAID = {"count": Measure.PAID_COUNT, "amount": Measure.PAID_AMOUNT}
PENDING = {"count": Measure.PENDING_COUNT, "amount": Measure.PENDING_AMOUNT}
PREMIUM = {"count": Measure.PREMIUM_COUNT, "amount": Measure.PREMIUM_AMOUNT}
RESOLUTION = {"count": Measure.PAID_COUNT, "days": Measure.PAID_DAYS}
SITE = {"submitted": Measure.SUBMITTED_COUNT, "paid": Measure.PAID_COUNT}
FORM = {"count": Measure.SUBMITTED_COUNT, "amount": Measure.PAID_AMOUNT}
TIER = {"count": Measure.SUBMITTED_COUNT}

TOTAL_AND_PAYER = (TOP_LEVEL, Dimension.CLAIM_TYPE)
BA = (Dimension.BA_NUMBER,)
LOCATION = (Dimension.LOCATION_ID,)
CODE = (Dimension.HSC_CODE,)
FORM_ID = (Dimension.FORM_ID,)
TIMING = (Dimension.TIMING_TIER,)

METRICS = (
    Metric(MetricKey.CLAIMS_SUBMITTED, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, SUBMITTED),
    Metric(MetricKey.CLAIMS_PAID, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.REVENUE_MONTHLY, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.REVENUE_BY_BA, BA, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.REVENUE_BY_LOCATION, LOCATION, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.REVENUE_BY_HSC, CODE, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.AVG_FEE_PER_CLAIM, TOTAL_AND_PAYER, AVERAGE_FEE, PAID),
    Metric(MetricKey.PENDING_PIPELINE, TOTAL_AND_PAYER, COUNT_AND_AMOUNT, PENDING),
    Metric(MetricKey.AVG_RESOLUTION_TIME, TOTAL_AND_PAYER, AVERAGE_DAYS, RESOLUTION),
    Metric(MetricKey.WCB_BY_FORM_TYPE, FORM_ID, COUNT_AND_AMOUNT, FORM),
    Metric(MetricKey.WCB_TIMING_TIER_DIST, TIMING, COUNT_ONLY, TIER),
    Metric(MetricKey.WCB_FEE_TIER_ANALYSIS, TIMING, AVERAGE_FEE, PAID),
    Metric(MetricKey.WCB_REVENUE_TREND, (TOP_LEVEL,), COUNT_AND_AMOUNT, PAID, only=ClaimType.WCB),
    Metric(MetricKey.MULTISITE_REVENUE, LOCATION, COUNT_AND_AMOUNT, PAID),
    Metric(MetricKey.MULTISITE_CLAIMS, LOCATION, SUBMITTED_AND_PAID, SITE),
    Metric(MetricKey.MULTISITE_RRNP, LOCATION, COUNT_AND_AMOUNT, PREMIUM),
)
