"""The metric keys about rejections, adjustments and expiry, by hand-made figures."""

from uuid import UUID

import pytest

from tests.oracle import PlainEvent, Value
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

HERE = str(LOCATION)


def funnel(*events: PlainEvent) -> Value | None:
    return rows(*events, metric="rejection_resolution_funnel").get(None)


def steps(rejected: int, resubmitted: int = 0, paid: int = 0, written_off: int = 0) -> Value:
    return {
        "rejected": rejected,
        "resubmitted": resubmitted,
        "paid_on_resubmission": paid,
        "written_off": written_off,
    }


def test_multisite_claims_counts_what_became_of_a_locations_claims() -> None:
    found = rows(
        submitted(1), paid(2), adjusted(3), assessed(4), rejected(5), rejected(6),
        ended("written-off", 7), submitted(7), saved(8), ended("withdrawn", 9), submitted(9),
        rejected(10, location_id=None),
        rejected(11, **wcb(location_id=str(UUID(int=8)))),
        saved(12, 3, location_id=str(UUID(int=9))), rejected(12, location_id=str(UUID(int=8))),
        metric="multisite_claims",
    )  # fmt: skip
    assert found == {
        HERE: {
            "submitted": 7, "paid": 2, "rejected": 2, "decided": 5, "rejection_rate": "40.00",
        },
        str(UUID(int=8)): {
            "submitted": 1, "paid": 0, "rejected": 1, "decided": 1, "rejection_rate": "100.00",
        },
        str(UUID(int=9)): {
            "submitted": 1, "paid": 0, "rejected": 0, "decided": 0, "rejection_rate": "0.00",
        },
    }  # fmt: skip


def test_claims_rejected_has_those_that_are_rejected_now_at_their_submitted_fee() -> None:
    found = rows(
        rejected(1, submitted_fee="10.10"),
        rejected(2, submitted_fee="5.00", **wcb()),
        rejected(3, 2), submitted(3, 3),
        rejected(4, 2), saved(4, 3),
        metric="claims_rejected",
    )  # fmt: skip
    assert found == {
        None: {"count": 2, "amount": "15.10"},
        "AHCIP": {"count": 1, "amount": "10.10"},
        "WCB": {"count": 1, "amount": "5.00"},
    }


@pytest.mark.parametrize(
    ("fees", "difference"),
    [
        ([("40.00", "35.50")], "-4.50"),
        ([("40.00", "50.00")], "10.00"),
        ([("40.00", "50.00"), ("40.00", "30.00")], "0.00"),
        ([("40.00", "0")], "-40.00"),
        ([("0.01", "0.00")], "-0.01"),
    ],
)
def test_claims_adjusted_says_with_a_sign_what_the_payer_took_or_gave(
    fees: list[tuple[str, str]], difference: str
) -> None:
    events = [
        adjusted(n, submitted_fee=asked, assessed_fee=given)
        for n, (asked, given) in enumerate(fees, start=1)
    ]
    value = rows(*events, paid(9), metric="claims_adjusted")["AHCIP"]
    assert (value["count"], value["difference"]) == (len(fees), difference)
    assert sorted(value) == ["amount", "count", "difference"]


def test_an_adjusted_claim_that_is_paid_anew_is_no_longer_adjusted() -> None:
    assert rows(adjusted(1, 3), paid(1, 4), metric="claims_adjusted") == {}


@pytest.mark.parametrize(
    ("refused", "decided", "rate"),
    [(1, 3, "33.33"), (2, 3, "66.67"), (1, 8, "12.50"), (1, 1, "100.00"), (0, 2, "0.00")],
)
def test_the_rejection_rate_is_a_percentage_of_the_decided(
    refused: int, decided: int, rate: str
) -> None:
    events = [rejected(n) for n in range(refused)]
    events += [(paid, assessed, adjusted)[n % 3](n) for n in range(refused, decided)]
    waiting = submitted(90), saved(91), ended("written-off", 92), ended("expired", 93)
    found = rows(*events, *waiting, metric="rejection_rate_monthly")
    value = {"rejected": refused, "decided": decided, "rate": rate}
    assert found == {None: value, "AHCIP": value}
    by_code = rows(*events, *waiting, metric="rejection_by_hsc")
    assert by_code == {"03.04A": value}
    assert rows(*events, metric="wcb_rejection_rate") == {}


def test_a_rate_is_rounded_half_away_from_zero() -> None:
    # 1 of 32 is 3.125 percent.
    events = [rejected(0), *(paid(n) for n in range(1, 32))]
    assert rows(*events, metric="rejection_rate_monthly")[None]["rate"] == "3.13"


def test_wcb_rejection_rate_is_that_of_the_other_payer() -> None:
    events = rejected(1), rejected(2, **wcb()), paid(3, **wcb()), submitted(4, **wcb())
    value = {"rejected": 1, "decided": 2, "rate": "50.00"}
    assert rows(*events, metric="wcb_rejection_rate") == {None: value}
    assert rows(*events, metric="rejection_rate_monthly")["WCB"] == value


def test_rejection_by_hsc_leaves_out_claims_without_a_code() -> None:
    assert rows(rejected(1, **wcb()), metric="rejection_by_hsc") == {}


def test_rejection_by_code_counts_a_claim_once_for_each_distinct_code() -> None:
    found = rows(
        rejected(1, 2, "05BA", "63", "05BA", submitted_fee="10.00"),
        rejected(2, 2, "05BA", submitted_fee="1.00"),
        rejected(3, 2, "05ba", submitted_fee="2.00"),
        rejected(4, 2, submitted_fee="100.00"),
        assessed(5, explanatory_codes=["05BA"]),
        adjusted(6, explanatory_codes=["63"]),
        rejected(7, 2, "63"), submitted(7, 3),
        metric="rejection_by_code",
    )  # fmt: skip
    assert found == {
        "05BA": {"count": 2, "amount": "11.00"},
        "63": {"count": 1, "amount": "10.00"},
        "05ba": {"count": 1, "amount": "2.00"},
    }


def test_rejection_by_code_goes_by_the_latest_event() -> None:
    found = rows(rejected(1, 2, "A", "B"), rejected(1, 4, "B", "C"), metric="rejection_by_code")
    assert set(found) == {"B", "C"}


@pytest.mark.parametrize(
    ("events", "value"),
    [
        ([rejected(1)], steps(1)),
        ([rejected(1, 2), saved(1, 3)], steps(1)),
        ([rejected(1, 2), submitted(1, 3)], steps(1, 1)),
        ([rejected(1, 2), assessed(1, 3)], steps(1, 1)),
        ([rejected(1, 2), paid(1, 3)], steps(1, 1, 1)),
        ([rejected(1, 2), adjusted(1, 3)], steps(1, 1, 1)),
        ([rejected(1, 2), submitted(1, 3), rejected(1, 4)], steps(1, 1)),
        ([rejected(1, 2), submitted(1, 3), saved(1, 4)], steps(1, 1)),
        ([rejected(1, 2), submitted(1, 3), paid(1, 4), rejected(1, 5)], steps(1, 1)),
        ([rejected(1, 2), submitted(1, 3), ended("written-off", 1, 4)], steps(1, 1, 0, 1)),
        ([rejected(1, 2), ended("written-off", 1, 3)], steps(1, 0, 0, 1)),
        ([rejected(1, 2), ended("expired", 1, 3)], steps(1)),
        # What was sent before the rejection is no resubmission.
        ([submitted(1, 1), rejected(1, 2)], steps(1)),
        ([paid(1, 1), rejected(1, 2)], steps(1)),
        # Not of a claim that was never rejected, or that is withdrawn.
        ([submitted(1), paid(1)], None),
        ([submitted(1), ended("written-off", 1)], None),
        ([rejected(1, 2), ended("withdrawn", 1, 3)], None),
        # Withdrawn by mistake: what it is now decides.
        ([rejected(1, 2), ended("withdrawn", 1, 3), submitted(1, 4)], steps(1, 1)),
    ],
)
def test_the_funnel_is_of_the_whole_history(events: list[PlainEvent], value: Value | None) -> None:
    assert funnel(*events) == value
    assert funnel(*reversed(events)) == value


def test_a_late_rejection_makes_a_paid_claim_one_that_was_paid_on_resubmission() -> None:
    known = submitted(1, 1), paid(1, 5)
    assert funnel(*known) is None
    assert funnel(*known, rejected(1, 3)) == steps(1, 1, 1)


def test_the_funnel_has_a_row_for_each_payer_that_rejected() -> None:
    found = rows(
        rejected(1), rejected(2, **wcb()), paid(2, 3, **wcb()), metric="rejection_resolution_funnel"
    )
    assert found == {None: steps(2, 1, 1), "AHCIP": steps(1), "WCB": steps(1, 1, 1)}


def test_expired_claims_counts_the_unfinished_too() -> None:
    found = rows(
        saved(1), ended("expired", 1, 2, submitted_fee=None, hsc_code=None, ba_number=None),
        rejected(2), ended("expired", 2, submitted_fee="12.00"),
        ended("expired", 3, submitted_fee="3.00", **wcb(form_id=None)),
        ended("expired", 4, 2), saved(4, 3),
        metric="expired_claims",
    )  # fmt: skip
    assert found == {
        None: {"count": 3, "amount": "15.00"},
        "AHCIP": {"count": 2, "amount": "12.00"},
        "WCB": {"count": 1, "amount": "3.00"},
    }
