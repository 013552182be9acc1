"""The closed lists of words that rows, events and metrics are made of."""

from enum import StrEnum


class ClaimType(StrEnum):
    """Who pays."""

    AHCIP = "AHCIP"  # the provincial plan
    WCB = "WCB"  # workers' compensation


class ClaimState(StrEnum):
    """What a claim is now, as the event with its highest version says."""

    DRAFT = "DRAFT"  # being written; may lack what a claim must have
    VALIDATED = "VALIDATED"  # complete, not to be sent yet
    QUEUED = "QUEUED"  # goes out with the next transmission
    SUBMITTED = "SUBMITTED"  # sent to the payer, no answer yet
    ASSESSED = "ASSESSED"  # the payer named a fee and has not paid it
    PAID = "PAID"  # money arrived, zero included
    REJECTED = "REJECTED"  # the payer refused it
    ADJUSTED = "ADJUSTED"  # paid, then corrected by the payer
    WRITTEN_OFF = "WRITTEN_OFF"  # the physician gave it up
    EXPIRED = "EXPIRED"  # its deadline passed before it was sent, or sent again
    WITHDRAWN = "WITHDRAWN"  # taken back; counts nowhere


# Not sent yet, or being edited before it is sent again.
UNSENT_STATES = (ClaimState.DRAFT, ClaimState.VALIDATED, ClaimState.QUEUED)
# A claim with one of these in its history was sent.
SENT_STATES = (
    ClaimState.SUBMITTED,
    ClaimState.ASSESSED,
    ClaimState.PAID,
    ClaimState.REJECTED,
    ClaimState.ADJUSTED,
)
# Above a rejection one of these says that the claim was sent again.
RESUBMITTED_STATES = tuple(state for state in SENT_STATES if state is not ClaimState.REJECTED)


class SuggestionEvent(StrEnum):
    """What happened to a suggestion of the AI coach."""

    GENERATED = "GENERATED"
    ACCEPTED = "ACCEPTED"
    DISMISSED = "DISMISSED"
    SUPPRESSED = "SUPPRESSED"  # the rule is silenced for this physician
    UNSUPPRESSED = "UNSUPPRESSED"  # it may speak again
    REJECTION_FEEDBACK = "REJECTION_FEEDBACK"  # a claim was rejected for what it warned of


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
    EXPLANATORY_CODE = "explanatory_code"
    CATEGORY = "category"


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
    CLAIMS_ASSESSED = "claims_assessed"
    CLAIMS_REJECTED = "claims_rejected"
    CLAIMS_ADJUSTED = "claims_adjusted"
    REJECTION_RATE_MONTHLY = "rejection_rate_monthly"
    WCB_REJECTION_RATE = "wcb_rejection_rate"
    REJECTION_BY_HSC = "rejection_by_hsc"
    REJECTION_BY_CODE = "rejection_by_code"
    REJECTION_RESOLUTION_FUNNEL = "rejection_resolution_funnel"
    EXPIRED_CLAIMS = "expired_claims"
    AGING_BRACKETS = "aging_brackets"
    APPROACHING_DEADLINE = "approaching_deadline"
    STALE_CLAIMS = "stale_claims"
    AI_COACH_ACCEPTANCE_RATE = "ai_coach_acceptance_rate"
    AI_COACH_REVENUE_RECOVERED = "ai_coach_revenue_recovered"
    AI_COACH_BY_CATEGORY = "ai_coach_by_category"
    AI_COACH_TOP_ACCEPTED = "ai_coach_top_accepted"
    AI_COACH_SUPPRESSED = "ai_coach_suppressed"


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


class ErasedKind(StrEnum):
    """What a tombstone stands for."""

    PROVIDER = "provider"  # nothing of it is taken in any more
    CLAIM = "claim"  # no patient's number is taken in for it any more
    REMOVED = "removed"  # a claim that is over its time: nothing of it is taken in any more


class LetterState(StrEnum):
    """What has become of a dead letter."""

    OPEN = "open"  # nobody has done anything about it, or a redrive was in vain
    REDRIVEN = "redriven"  # a copy is on its way through its topic
    RESOLVED = "resolved"  # the message, or a copy of it, was applied or is a duplicate
    PARKED = "parked"  # a person has seen it, and nothing will be done
    LOST = "lost"  # neither its topic nor the dead letter topic has it any more


class ActionOutcome(StrEnum):
    """How an operator's action ended."""

    DONE = "done"
    FAILED = "failed"
    BROKEN_OFF = "broken off"


class OrderKind(StrEnum):
    """What members of a consumer group can be ordered to do."""

    SKIP = "skip"  # past a stopped partition's record
    PAUSE = "pause"  # read no more, until it is closed


class Discrepancy(StrEnum):
    """Why a row of `analytics_cache` is not what it is recomputed to be."""

    WRONG = "wrong"  # it should be nothing that there is, so whatever there is, is kept and told
    DUE = "due"  # a list that was known to be behind
    NEW = "new"  # of a key that came with this version, and waited to be filled
    BEFORE_HORIZON = "before horizon"  # of a month that the figures cover no more


class OrderOutcome(StrEnum):
    """How an order ended."""

    DONE = "done"  # carried out; of a pause: reading goes on
    REFUSED = "refused"  # the partition was not where the order says
    WITHDRAWN = "withdrawn"  # nobody took it in time, or a newer one replaced it


class StopCause(StrEnum):
    """Why a partition is read no further until a person decides."""

    OFFSET_GONE = "offset gone"  # the broker does not have what is to be read next
    UNDECODABLE = "undecodable"  # the client cannot decode what is to be read next
    BRAKE = "brake"  # its topic brought too many messages that cannot be used
