"""The metric keys of claims by month, in the order of the specification, by hand-made figures."""

from uuid import UUID

import pytest

from tests.oracle import PlainEvent
from tests.unit.oracle.events import (
    LOCATION,
    adjusted,
    assessed,
    ended,
    paid,
    rejected,
    rows,
    saved,
    submitted,
    wcb,
)


def test_claims_submitted_counts_every_claim_that_was_sent_at_its_submitted_fee() -> None:
    found = rows(
        submitted(1),
        paid(2, submitted_fee="10.50", assessed_fee="3.00"),
        submitted(3, submitted_fee="94.1", **wcb()),
        metric="claims_submitted",
    )
    assert found == {
        None: {"count": 3, "amount": "144.60"},
        "AHCIP": {"count": 2, "amount": "50.50"},
        "WCB": {"count": 1, "amount": "94.10"},
    }


@pytest.mark.parametrize(
    ("now", "count"),
    [
        (saved(1, 4), 1),  # edited after it was sent
        (saved(1, 4, "QUEUED"), 1),
        (assessed(1, 4), 1),
        (rejected(1, 4), 1),
        (adjusted(1, 4), 1),
        (ended("written-off", 1, 4), 1),
        (ended("expired", 1, 4), 1),
        (ended("withdrawn", 1, 4), 0),
    ],
)
def test_a_claim_that_was_sent_counts_as_submitted_unless_it_is_withdrawn(
    now: PlainEvent, count: int
) -> None:
    found = rows(now, submitted(1, 3), metric="claims_submitted")  # the earlier arrives later
    assert found == ({None: found[None], "AHCIP": found[None]} if count else {})
    assert not count or found[None] == {"count": 1, "amount": "40.00"}


@pytest.mark.parametrize("how", ["written-off", "expired", "withdrawn"])
@pytest.mark.parametrize("stage", ["DRAFT", "VALIDATED", "QUEUED"])
def test_a_claim_that_was_never_sent_is_not_submitted_whatever_its_end(
    stage: str, how: str
) -> None:
    assert rows(saved(1, 1, stage), ended(how, 1), metric="claims_submitted") == {}
    assert rows(saved(1, 1, stage), metric="claims_submitted") == {}


def test_a_null_fee_counts_one_and_adds_nothing() -> None:
    events = submitted(1), saved(1, 2, submitted_fee=None), submitted(2)
    assert rows(*events, metric="claims_submitted")[None] == {"count": 2, "amount": "40.00"}


@pytest.mark.parametrize("metric", ["claims_paid", "revenue_monthly"])
def test_paid_metrics_count_paid_claims_at_their_assessed_fee(metric: str) -> None:
    found = rows(
        submitted(1),
        paid(2, assessed_fee="30.00"),
        paid(3, assessed_fee="90.00", **wcb()),
        metric=metric,
    )
    assert found == {
        None: {"count": 2, "amount": "120.00"},
        "AHCIP": {"count": 1, "amount": "30.00"},
        "WCB": {"count": 1, "amount": "90.00"},
    }


@pytest.mark.parametrize(
    ("metric", "field", "one", "other"),
    [
        ("revenue_by_ba", "ba_number", "1111111", "2222222"),
        ("revenue_by_hsc", "hsc_code", "03.04A", "03.04 A"),
        ("revenue_by_location", "location_id", str(UUID(int=8)), str(UUID(int=9))),
        ("multisite_revenue", "location_id", str(UUID(int=8)), str(UUID(int=9))),
    ],
)
def test_a_breakdown_has_a_row_for_each_value_of_paid_claims(
    metric: str, field: str, one: str, other: str
) -> None:
    found = rows(
        paid(1, assessed_fee="1.00", **{field: one}),
        paid(2, assessed_fee="2.00", **{field: one}),
        paid(3, assessed_fee="4.00", **wcb(**{field: other})),
        paid(4, assessed_fee="8.00", **wcb(**{field: None})),
        submitted(5, **{field: other}),
        metric=metric,
    )
    assert found == {one: {"count": 2, "amount": "3.00"}, other: {"count": 1, "amount": "4.00"}}


def test_avg_fee_per_claim_is_the_mean_assessed_fee_of_paid_claims() -> None:
    found = rows(
        submitted(1, submitted_fee="1000"),
        paid(2, assessed_fee="10.00"),
        paid(3, assessed_fee="0.00"),
        paid(4, assessed_fee="10.00"),
        metric="avg_fee_per_claim",
    )
    value = {"count": 3, "amount": "20.00", "average": "6.67"}
    assert found == {None: value, "AHCIP": value}


def test_pending_pipeline_counts_claims_without_an_answer_at_their_submitted_fee() -> None:
    found = rows(
        submitted(1, submitted_fee="12.34"),
        paid(2),
        submitted(3, submitted_fee="0", **wcb()),
        metric="pending_pipeline",
    )
    assert found == {
        None: {"count": 2, "amount": "12.34"},
        "AHCIP": {"count": 1, "amount": "12.34"},
        "WCB": {"count": 1, "amount": "0.00"},
    }


def test_pending_is_what_waits_for_an_answer_or_for_its_money() -> None:
    found = rows(
        assessed(1, submitted_fee="10.00", assessed_fee="8.00"),
        submitted(2, submitted_fee="1.00"),
        rejected(3), adjusted(4), saved(5, 2, "QUEUED"), submitted(5), ended("written-off", 6),
        metric="pending_pipeline",
    )  # fmt: skip
    assert found[None] == {"count": 2, "amount": "11.00"}


def test_an_adjusted_claim_is_paid_at_what_it_was_adjusted_to() -> None:
    events = paid(1, 2, assessed_fee="40.00"), adjusted(1, 3, assessed_fee="25.00")
    assert rows(*events, metric="revenue_monthly")[None] == {"count": 1, "amount": "25.00"}


def test_claims_assessed_has_what_the_payer_named_and_has_not_paid() -> None:
    found = rows(
        assessed(1, assessed_fee="38.00"),
        assessed(2, assessed_fee="0", **wcb()),
        assessed(3), paid(3, 3), submitted(4),
        metric="claims_assessed",
    )  # fmt: skip
    assert found == {
        None: {"count": 2, "amount": "38.00"},
        "AHCIP": {"count": 1, "amount": "38.00"},
        "WCB": {"count": 1, "amount": "0.00"},
    }


def test_avg_resolution_time_counts_days_from_service_to_payment() -> None:
    found = rows(
        submitted(1),
        paid(2, date_of_service="2025-10-01", payment_date="2025-10-01"),
        paid(3, date_of_service="2025-10-31", payment_date="2025-11-07"),
        metric="avg_resolution_time",
    )
    value = {"count": 2, "days": 7, "average_days": "3.50"}
    assert found == {None: value, "AHCIP": value}


def test_top_hsc_codes_go_by_amount_then_count_then_bytes() -> None:
    found = rows(
        paid(1, hsc_code="B", assessed_fee="5.00"),
        paid(2, hsc_code="a", assessed_fee="5.00"),
        paid(3, hsc_code="C", assessed_fee="2.50"),
        paid(4, hsc_code="C", assessed_fee="2.50"),
        paid(5, hsc_code="D", assessed_fee="9.00"),
        paid(6, assessed_fee="99.00", **wcb(hsc_code=None)),
        submitted(7, hsc_code="E"),
        metric="top_hsc_codes",
    )
    assert found == {
        None: {
            "codes": [
                {"hsc_code": "D", "count": 1, "amount": "9.00"},
                {"hsc_code": "C", "count": 2, "amount": "5.00"},
                {"hsc_code": "B", "count": 1, "amount": "5.00"},
                {"hsc_code": "a", "count": 1, "amount": "5.00"},
            ]
        }
    }


def test_top_hsc_codes_orders_by_utf_8_and_not_by_utf_16() -> None:
    found = rows(paid(1, hsc_code="\U0001f600"), paid(2, hsc_code="\ufb01"), metric="top_hsc_codes")
    value = found[None]
    assert [entry["hsc_code"] for entry in value["codes"]] == ["\ufb01", "\U0001f600"]


def test_top_hsc_codes_lists_ten_at_most() -> None:
    events = [paid(n, hsc_code=f"c{n}", assessed_fee=str(n)) for n in range(1, 12)]
    codes = rows(*events, metric="top_hsc_codes")[None]["codes"]
    assert [entry["hsc_code"] for entry in codes] == [f"c{n}" for n in range(11, 1, -1)]


def test_wcb_by_form_type_counts_all_forms_and_the_money_of_the_paid() -> None:
    found = rows(
        submitted(1, **wcb(form_id="C050E")),
        paid(2, assessed_fee="50.00", **wcb(form_id="C050E")),
        submitted(3, **wcb(form_id="C568A")),
        paid(4),
        metric="wcb_by_form_type",
    )
    assert found == {
        "C050E": {"count": 2, "amount": "50.00"},
        "C568A": {"count": 1, "amount": "0.00"},
    }


def test_a_wcb_draft_counts_in_no_form_and_no_tier() -> None:
    events = saved(1, **wcb(timing_tier="LATE")), ended("expired", 2, **wcb(timing_tier="LATE"))
    assert rows(*events, metric="wcb_by_form_type") == {}
    assert rows(*events, metric="wcb_timing_tier_dist") == {}


def test_wcb_timing_tier_dist_holds_nothing_but_a_count() -> None:
    found = rows(
        submitted(1, **wcb(timing_tier="LATE")),
        paid(2, **wcb(timing_tier="LATE")),
        paid(3, **wcb(timing_tier="ON_TIME")),
        paid(4, **wcb(timing_tier=None)),
        metric="wcb_timing_tier_dist",
    )
    assert found == {"LATE": {"count": 2}, "ON_TIME": {"count": 1}}


def test_wcb_fee_tier_analysis_averages_the_paid_claims_of_a_tier() -> None:
    found = rows(
        submitted(1, **wcb(timing_tier="LATE")),
        paid(2, assessed_fee="10.00", **wcb(timing_tier="LATE")),
        paid(3, assessed_fee="10.01", **wcb(timing_tier="LATE")),
        submitted(4, **wcb(timing_tier="ON_TIME")),
        metric="wcb_fee_tier_analysis",
    )
    assert found == {"LATE": {"count": 2, "amount": "20.01", "average": "10.01"}}


def test_wcb_revenue_trend_leaves_out_the_provincial_plan() -> None:
    found = rows(
        paid(1), paid(2, assessed_fee="7.00", **wcb()), submitted(3, **wcb()),
        metric="wcb_revenue_trend",
    )  # fmt: skip
    assert found == {None: {"count": 1, "amount": "7.00"}}


def test_multisite_rrnp_counts_only_payments_with_a_premium() -> None:
    found = rows(
        paid(1, rrnp_premium="0.00"),
        paid(2, rrnp_premium="3.10"),
        paid(3, rrnp_premium="0.01"),
        paid(4, rrnp_premium="5.00", **wcb()),
        metric="multisite_rrnp",
    )
    assert found == {str(LOCATION): {"count": 2, "amount": "3.11"}}
