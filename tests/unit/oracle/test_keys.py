"""All keys of the catalogue, the dimensions of their rows, and the members of their values."""

from collections import defaultdict

from tests.oracle import tables
from tests.unit.oracle.events import (
    adjusted,
    assessed,
    ended,
    paid,
    rejected,
    saved,
    submitted,
    suggestion,
    wcb,
)

COUNT_AND_AMOUNT = {"count", "amount"}
TOP = {None}
TOP_AND_TYPE = {None, "claim_type"}
RATE = {"rejected", "decided", "rate"}
OUTCOMES = {"generated", "accepted", "dismissed"}
FUNNEL = {"rejected", "resubmitted", "paid_on_resubmission", "written_off"}
SITE = {"submitted", "paid", "rejected", "decided", "rejection_rate"}

# As the specification's tables have them.
CATALOGUE = {
    "claims_submitted": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "claims_paid": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "revenue_monthly": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "revenue_by_ba": ({"ba_number"}, COUNT_AND_AMOUNT),
    "revenue_by_location": ({"location_id"}, COUNT_AND_AMOUNT),
    "revenue_by_hsc": ({"hsc_code"}, COUNT_AND_AMOUNT),
    "avg_fee_per_claim": (TOP_AND_TYPE, {*COUNT_AND_AMOUNT, "average"}),
    "pending_pipeline": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "avg_resolution_time": (TOP_AND_TYPE, {"count", "days", "average_days"}),
    "top_hsc_codes": (TOP, {"codes"}),
    "wcb_by_form_type": ({"form_id"}, COUNT_AND_AMOUNT),
    "wcb_timing_tier_dist": ({"timing_tier"}, {"count"}),
    "wcb_fee_tier_analysis": ({"timing_tier"}, {*COUNT_AND_AMOUNT, "average"}),
    "wcb_revenue_trend": (TOP, COUNT_AND_AMOUNT),
    "multisite_revenue": ({"location_id"}, COUNT_AND_AMOUNT),
    "multisite_claims": ({"location_id"}, SITE),
    "multisite_rrnp": ({"location_id"}, COUNT_AND_AMOUNT),
    "claims_assessed": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "claims_rejected": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "claims_adjusted": (TOP_AND_TYPE, {*COUNT_AND_AMOUNT, "difference"}),
    "rejection_rate_monthly": (TOP_AND_TYPE, RATE),
    "wcb_rejection_rate": (TOP, RATE),
    "rejection_by_hsc": ({"hsc_code"}, RATE),
    "rejection_by_code": ({"explanatory_code"}, COUNT_AND_AMOUNT),
    "rejection_resolution_funnel": (TOP_AND_TYPE, FUNNEL),
    "expired_claims": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "aging_brackets": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "approaching_deadline": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "stale_claims": (TOP_AND_TYPE, COUNT_AND_AMOUNT),
    "ai_coach_acceptance_rate": (TOP, {*OUTCOMES, "rate"}),
    "ai_coach_revenue_recovered": (TOP, COUNT_AND_AMOUNT),
    "ai_coach_by_category": ({"category"}, {*OUTCOMES, "amount"}),
    "ai_coach_top_accepted": (TOP, {"rules"}),
    "ai_coach_suppressed": (TOP, {"rules"}),
}  # fmt: skip


def test_every_key_of_the_catalogue_has_its_dimensions_and_its_members() -> None:
    of_wcb = wcb(ba_number="1", hsc_code="1", location_id="7" * 8 + "-7777-7777-7777-" + "7" * 12)
    events = [
        event
        for start, kind in ((0, {}), (100, of_wcb))
        for event in (
            saved(start + 1, **kind),
            submitted(start + 2, **kind),
            assessed(start + 3, **kind),
            paid(start + 4, rrnp_premium="1", **kind),
            rejected(start + 5, 2, "05BA", **kind),
            adjusted(start + 6, **kind),
            ended("expired", start + 7, **kind),
        )
    ]
    events += [suggestion(1), suggestion(2, "SUPPRESSED")]
    dimensions: defaultdict[str, set[str | None]] = defaultdict(set)
    members: defaultdict[str, set[str]] = defaultdict(set)
    for key, value in tables(events).analytics_cache.items():
        dimensions[key.metric_key].add(key.dimensions[0][0] if key.dimensions else None)
        members[key.metric_key] |= value.keys()
    assert {name: (dimensions[name], members[name]) for name in members} == CATALOGUE
    assert len(CATALOGUE) == 34
