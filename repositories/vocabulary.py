"""The closed lists of words that rows, events and metrics are made of."""

from enum import StrEnum


class ClaimType(StrEnum):
    """Who pays."""

    AHCIP = "AHCIP"  # the provincial plan
    WCB = "WCB"  # workers' compensation


class ClaimState(StrEnum):
    """What a claim is now, as the event with its highest version says."""

    SUBMITTED = "SUBMITTED"  # sent to the payer, no answer yet
    ASSESSED = "ASSESSED"  # the payer named a fee and has not paid it
    PAID = "PAID"  # money arrived, zero included
    REJECTED = "REJECTED"  # the payer refused it
    ADJUSTED = "ADJUSTED"  # paid, then corrected by the payer
    WRITTEN_OFF = "WRITTEN_OFF"  # the physician gave it up
    WITHDRAWN = "WITHDRAWN"  # taken back; counts nowhere


class FormId(StrEnum):
    """WCB forms: C050E and C151 by physicians, C568 and its kin invoices, S for specialists."""

    C050E = "C050E"
    C050S = "C050S"
    C151 = "C151"
    C151S = "C151S"
    C568 = "C568"
    C568A = "C568A"
    C569 = "C569"
    C570 = "C570"


class TimingTier(StrEnum):
    """How soon a WCB form was sent; the fee falls with each tier."""

    SAME_DAY = "SAME_DAY"
    ON_TIME = "ON_TIME"
    LATE = "LATE"


class Dimension(StrEnum):
    """What a row of `analytics_cache` is broken down by: the one key of its `dimensions`."""

    CLAIM_TYPE = "claim_type"
    BA_NUMBER = "ba_number"
    LOCATION_ID = "location_id"
    HSC_CODE = "hsc_code"
    FORM_ID = "form_id"
    TIMING_TIER = "timing_tier"


class MetricKey(StrEnum):
    """The `metric_key` of a row of `analytics_cache`; each is defined in `metrics.definitions`."""

    CLAIMS_SUBMITTED = "claims_submitted"
    CLAIMS_PAID = "claims_paid"
    REVENUE_MONTHLY = "revenue_monthly"
    REVENUE_BY_BA = "revenue_by_ba"
    REVENUE_BY_LOCATION = "revenue_by_location"
    REVENUE_BY_HSC = "revenue_by_hsc"
    AVG_FEE_PER_CLAIM = "avg_fee_per_claim"
    PENDING_PIPELINE = "pending_pipeline"
    AVG_RESOLUTION_TIME = "avg_resolution_time"
    TOP_HSC_CODES = "top_hsc_codes"
    WCB_BY_FORM_TYPE = "wcb_by_form_type"
    WCB_TIMING_TIER_DIST = "wcb_timing_tier_dist"
    WCB_FEE_TIER_ANALYSIS = "wcb_fee_tier_analysis"
    WCB_REVENUE_TREND = "wcb_revenue_trend"
    MULTISITE_REVENUE = "multisite_revenue"
    MULTISITE_CLAIMS = "multisite_claims"
    MULTISITE_RRNP = "multisite_rrnp"


class ReportType(StrEnum):
    """What a report shows."""

    ACCOUNTANT_SUMMARY = "ACCOUNTANT_SUMMARY"
    ACCOUNTANT_DETAIL = "ACCOUNTANT_DETAIL"
    WEEKLY_SUMMARY = "WEEKLY_SUMMARY"
    MONTHLY_PERFORMANCE = "MONTHLY_PERFORMANCE"
    RRNP_QUARTERLY = "RRNP_QUARTERLY"
    WCB_TIMING = "WCB_TIMING"
    REJECTION_DIGEST = "REJECTION_DIGEST"
    DATA_PORTABILITY = "DATA_PORTABILITY"


class ReportFormat(StrEnum):
    """The kind of file a report is."""

    PDF = "PDF"
    CSV = "CSV"
    ZIP = "ZIP"


class ReportStatus(StrEnum):
    """Where a report is in its life."""

    PENDING = "pending"  # asked for, no worker has it
    GENERATING = "generating"  # a worker holds its lease
    READY = "ready"  # the file is complete and announced
    FAILED = "failed"  # it says why, and can be retried
    EXPIRED = "expired"  # the file is gone
