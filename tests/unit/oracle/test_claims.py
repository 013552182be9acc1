"""What a claim is now: versions, corrections, the publisher's contract."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from tests.oracle import PlainEvent, cache_rows, current_claims, tables
from tests.unit.oracle.events import (
    LOCATION,
    PROVIDER,
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


def test_the_highest_version_wins_in_any_order_and_however_often() -> None:
    events = [submitted(1), paid(1, 2), paid(1, 5, assessed_fee="33.00"), submitted(1, 3)]
    expected = tables(events)
    assert expected.claims[UUID(int=1)]["claim_version"] == 5
    assert expected.claims[UUID(int=1)]["assessed_fee"] == Decimal("33.00")
    assert tables([*reversed(events), *events]) == expected


def test_history_keeps_the_versions_that_came_too_late() -> None:
    events = [paid(1, 5), submitted(1, 1), submitted(2, 3), paid(1, 5)]
    assert tables(events).claim_events == {
        (UUID(int=1), 1), (UUID(int=1), 5), (UUID(int=2), 3),
    }  # fmt: skip


def test_a_correction_moves_a_claim_to_another_month_and_another_code() -> None:
    moved = {"date_of_service": "2025-11-02", "hsc_code": "13.99BA"}
    cache = tables([paid(1, 2), paid(1, 3, **moved)]).analytics_cache
    november = date(2025, 11, 1), date(2025, 11, 30)
    assert {(key.period_start, key.period_end) for key in cache} == {november}
    by_code = {key.dimensions for key in cache if key.metric_key == "revenue_by_hsc"}
    assert by_code == {(("hsc_code", "13.99BA"),)}


def test_a_paid_claim_that_is_submitted_again_is_pending() -> None:
    events = submitted(1), paid(1, 2), submitted(1, 3, submitted_fee="41.00")
    assert rows(*events, metric="claims_paid") == {}
    assert rows(*events, metric="pending_pipeline")[None] == {"count": 1, "amount": "41.00"}


def test_late_money_counts_in_the_month_of_the_service() -> None:
    cache = tables([paid(1, date_of_service="2024-02-29", payment_date="2025-12-19")])
    periods = {(key.period_start, key.period_end) for key in cache.analytics_cache}
    assert periods == {(date(2024, 2, 1), date(2024, 2, 29))}


def test_december_ends_with_the_year() -> None:
    cache = tables([submitted(1, date_of_service="2025-12-31")]).analytics_cache
    assert {key.period_end for key in cache} == {date(2025, 12, 31)}


def test_a_claim_holds_what_its_newest_event_says_and_nothing_of_others() -> None:
    claim = current_claims([submitted(1), paid(1, rrnp_premium="1.5", modifiers=["TEV"])])
    assert claim[UUID(int=1)] == {
        "claim_id": UUID(int=1),
        "claim_version": 2,
        "provider_id": PROVIDER,
        "state": "PAID",
        "claim_type": "AHCIP",
        "date_of_service": date(2025, 10, 15),
        "patient_phn": "123456789",
        "ba_number": "1234567",
        "location_id": LOCATION,
        "hsc_code": "03.04A",
        "modifiers": ["TEV"],
        "form_id": None,
        "timing_tier": None,
        "submitted_fee": Decimal("40.00"),
        "submitted_at": None,
        "submission_deadline": None,
        "assessed_fee": Decimal("40.00"),
        "payment_date": date(2025, 10, 24),
        "rrnp_premium": Decimal("1.5"),
        "explanatory_codes": [],
        "created_at": None,
        "created_day": None,
        "first_sent_version": 1,
        "first_rejected_version": None,
        "last_sent_version": 2,
    }


@pytest.mark.parametrize(
    ("events", "first_sent", "first_rejected", "last_sent"),
    [
        ([saved(1, 1), saved(1, 2, "QUEUED")], None, None, None),
        ([saved(1, 1), ended("expired", 1, 2)], None, None, None),
        ([saved(1, 1), ended("written-off", 1, 2)], None, None, None),
        ([saved(1, 1), ended("withdrawn", 1, 2)], None, None, None),
        ([saved(1, 1), submitted(1, 2), saved(1, 3)], 2, None, 2),
        ([submitted(1, 1), rejected(1, 2), rejected(1, 4)], 1, 2, 1),
        ([rejected(1, 2)], 2, 2, None),  # sent, though it is not known when
        ([rejected(1, 2), assessed(1, 3), adjusted(1, 4), ended("expired", 1, 5)], 2, 2, 4),
        ([paid(1, 7), submitted(1, 3), rejected(1, 5)], 3, 5, 7),
    ],
)
def test_facts_are_of_the_whole_history(
    events: list[PlainEvent], first_sent: int, first_rejected: int, last_sent: int
) -> None:
    for order in (events, events[::-1]):
        (claim,) = current_claims(order).values()
        assert claim["first_sent_version"] == first_sent
        assert claim["first_rejected_version"] == first_rejected
        assert claim["last_sent_version"] == last_sent


@pytest.mark.parametrize("stage", ["DRAFT", "VALIDATED", "QUEUED"])
def test_a_saved_claim_is_in_its_stage_and_may_be_unfinished(stage: str) -> None:
    nulls = {"submitted_fee": None, "ba_number": None, "hsc_code": None}
    claim = current_claims([saved(1, 1, stage, **nulls)])[UUID(int=1)]
    assert claim["state"] == stage
    assert claim["submitted_fee"] is None
    assert claim["created_at"] == datetime.fromisoformat("2025-10-15T12:00:00-06:00")
    assert claim["created_day"] == date(2025, 10, 15)
    assert claim["submission_deadline"] == date(2026, 1, 13)


def test_codes_are_kept_as_they_came() -> None:
    claims = current_claims([rejected(1, 2, "B", "A", "B"), assessed(2), paid(3)])
    codes = [claim["explanatory_codes"] for claim in claims.values()]
    assert codes == [["B", "A", "B"], [], []]


@pytest.mark.parametrize("how", ["written-off", "expired", "withdrawn"])
def test_an_end_leaves_nothing_of_the_payer_and_no_deadline(how: str) -> None:
    claim = current_claims([rejected(1, 2, "A"), ended(how, 1)])[UUID(int=1)]
    assert claim["state"] == how.upper().replace("-", "_")
    assert claim["explanatory_codes"] == []
    assert {claim[name] for name in ("assessed_fee", "submission_deadline", "created_day")} == {
        None
    }


def test_a_submitted_claim_has_times_and_no_money_of_the_payer() -> None:
    claim = current_claims([submitted(1, assessed_fee="9.99")])[UUID(int=1)]
    assert claim["submitted_at"] == datetime.fromisoformat("2025-10-16T21:00:00Z")
    assert claim["submission_deadline"] == date(2026, 1, 13)
    assert claim["assessed_fee"] is None
    assert claim["payment_date"] is None
    assert claim["rrnp_premium"] is None


def test_absent_modifiers_are_none_and_an_absent_premium_is_zero() -> None:
    event = paid(1)
    data = {k: v for k, v in event["data"].items() if k not in ("modifiers", "rrnp_premium")}
    claim = current_claims([{"type": event["type"], "data": data}])[UUID(int=1)]
    assert claim["modifiers"] == []
    assert claim["rrnp_premium"] == Decimal(0)


def test_two_contents_of_one_version_break_the_contract() -> None:
    with pytest.raises(ValueError, match="two contents"):
        tables([submitted(1), submitted(1, submitted_fee="40.01")])


def test_the_same_money_spelled_otherwise_is_the_same_content() -> None:
    assert len(tables([submitted(1), submitted(1, submitted_fee="40")]).claims) == 1


def test_two_providers_of_one_claim_break_the_contract() -> None:
    with pytest.raises(ValueError, match="two providers"):
        tables([submitted(1), paid(1, provider_id=str(UUID(int=2)))])


def test_money_in_binary_floating_point_is_refused() -> None:
    with pytest.raises(TypeError, match="floating point"):
        tables([submitted(1, submitted_fee=0.1)])


def test_the_cache_follows_from_the_claims_alone() -> None:
    events = [submitted(1), paid(1), paid(2), submitted(3, **wcb())]
    assert cache_rows(current_claims(events).values()) == tables(events).analytics_cache
