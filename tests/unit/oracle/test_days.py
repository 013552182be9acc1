"""The metric keys with a row per day: which claims, which day, and none of zeros."""

from datetime import date
from uuid import UUID

import pytest

from tests.oracle import cache_key, current_claims, tables, without_zero_rows
from tests.unit.oracle.events import (
    PROVIDER,
    adjusted,
    assessed,
    days,
    ended,
    paid,
    rejected,
    saved,
    submitted,
    wcb,
)

ONE = {"count": 1, "amount": "40.00"}


def test_what_is_not_sent_or_not_answered_grows_old_from_the_day_of_service() -> None:
    found = days(
        submitted(1), saved(2, stage="VALIDATED"), saved(3, stage="QUEUED", submitted_fee=None),
        submitted(4, date_of_service="2025-10-16"), submitted(5, **wcb()),
        assessed(6), paid(7), rejected(8), adjusted(9),
        *(ended(how, n) for n, how in enumerate(["written-off", "expired", "withdrawn"], 10)),
        metric="aging_brackets",
    )  # fmt: skip
    assert found == {
        ("2025-10-15", None): {"count": 4, "amount": "120.00"},
        ("2025-10-15", "AHCIP"): {"count": 3, "amount": "80.00"},
        ("2025-10-15", "WCB"): ONE,
        ("2025-10-16", None): ONE,
        ("2025-10-16", "AHCIP"): ONE,
    }


def test_a_deadline_nears_for_what_can_still_be_sent() -> None:
    found = days(
        saved(1, submission_deadline="2026-01-12"),
        saved(2, stage="QUEUED", submission_deadline="2026-01-13"),
        rejected(3, submission_deadline="2026-01-13", **wcb()),
        saved(4, submission_deadline=None), rejected(5, submission_deadline=None),
        submitted(6), assessed(7), paid(8), ended("expired", 9), saved(10), submitted(10, 2),
        metric="approaching_deadline",
    )  # fmt: skip
    assert found == {
        ("2026-01-12", None): ONE,
        ("2026-01-12", "AHCIP"): ONE,
        ("2026-01-13", None): {"count": 2, "amount": "80.00"},
        ("2026-01-13", "AHCIP"): ONE,
        ("2026-01-13", "WCB"): ONE,
    }


def test_what_is_begun_and_not_queued_goes_stale_from_the_day_it_was_created() -> None:
    found = days(
        saved(1), saved(2, stage="VALIDATED", created_at="2025-10-20T12:00:00-06:00"),
        saved(3, stage="QUEUED"), submitted(4), saved(5), ended("withdrawn", 5),
        metric="stale_claims",
    )  # fmt: skip
    assert found == {
        ("2025-10-15", None): ONE, ("2025-10-15", "AHCIP"): ONE,
        ("2025-10-20", None): ONE, ("2025-10-20", "AHCIP"): ONE,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("created_at", "day"),
    [
        ("2024-03-01T06:59:59.999999Z", "2024-02-29"),  # UTC-7, and a leap day
        ("2024-03-01T07:00:00Z", "2024-03-01"),
        ("2024-07-01T05:59:59Z", "2024-06-30"),  # UTC-6
        ("2024-07-01T06:00:00Z", "2024-07-01"),
        ("2023-11-05T05:59:59Z", "2023-11-04"),  # the day with 25 hours: from six to seven
        ("2023-11-05T06:00:00Z", "2023-11-05"),
        ("2023-11-05T01:30:00-06:00", "2023-11-05"),
        ("2023-11-05T01:30:00-07:00", "2023-11-05"),
        ("2023-11-06T06:59:59Z", "2023-11-05"),
        ("2023-11-06T07:00:00Z", "2023-11-06"),
        ("2024-03-10T06:59:59Z", "2024-03-09"),  # the day with 23 hours: from seven to six
        ("2024-03-11T05:59:59Z", "2024-03-10"),
        ("2024-03-11T06:00:00Z", "2024-03-11"),
        ("2023-12-31T23:30:00-08:00", "2024-01-01"),
        ("2024-01-01T06:30:00Z", "2023-12-31"),
    ],
)
def test_a_day_is_one_in_alberta(created_at: str, day: str) -> None:
    claim = current_claims([saved(1, created_at=created_at)])[UUID(int=1)]
    assert claim["created_day"] == date.fromisoformat(day)
    assert (day, None) in days(saved(1, created_at=created_at), metric="stale_claims")


def test_a_day_of_nothing_must_not_be_there() -> None:
    day = date(2025, 10, 15)
    zeros = {cache_key(PROVIDER, "any", day, day, None): {"count": 0, "amount": "0.00"}}
    assert without_zero_rows(zeros) == zeros


def test_the_horizon_leaves_out_months_and_no_days() -> None:
    events = [saved(1), submitted(2), submitted(3, date_of_service="2025-11-01")]
    keys = tables(events, first_month=date(2025, 11, 1)).analytics_cache
    months = {key.period_start for key in keys if key.period_start != key.period_end}
    of_a_day = {key.period_start for key in keys if key.period_start == key.period_end}
    assert months == {date(2025, 11, 1)}
    assert of_a_day == {date(2025, 10, 15), date(2025, 11, 1), date(2026, 1, 13)}
