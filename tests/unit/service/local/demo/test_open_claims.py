"""Rows of days, added up against a date."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from repositories.records import SelectAnalyticsCache
from repositories.vocabulary import MetricKey
from service.local.demo.open_claims import NOTHING_OPEN, Waiting, open_claims
from tests.unit.service.local.demo.cache_rows import row

TODAY = date(2026, 3, 1)
ONE = Waiting(1, Decimal("10.50"))


def day(metric_key: MetricKey, days_ago: int) -> SelectAnalyticsCache:
    """One claim on a day."""
    on = TODAY - timedelta(days=days_ago)
    return row(metric_key, {"count": 1, "amount": "10.50"}, start=on, end=on)


@pytest.mark.parametrize(
    ("days_ago", "bracket"),
    [(-1, 0), (0, 0), (30, 0), (31, 1), (60, 1), (61, 2), (90, 2), (91, 3), (4000, 3)],
)
def test_a_claim_is_in_the_bracket_of_its_age(days_ago: int, bracket: int) -> None:
    found = open_claims([day(MetricKey.AGING_BRACKETS, days_ago)], TODAY)
    assert [waiting.count for waiting in found.by_age] == [n == bracket for n in range(4)]
    assert found.by_age[bracket] == ONE


@pytest.mark.parametrize(("days_ago", "due"), [(1, 0), (0, 1), (-7, 1), (-8, 0)])
def test_a_deadline_is_near_for_a_week_and_not_once_it_is_past(days_ago: int, due: int) -> None:
    found = open_claims([day(MetricKey.APPROACHING_DEADLINE, days_ago)], TODAY)
    assert found.due.count == due


@pytest.mark.parametrize(("days_ago", "stale"), [(14, 0), (15, 1), (400, 1)])
def test_a_draft_is_stale_after_two_weeks(days_ago: int, stale: int) -> None:
    found = open_claims([day(MetricKey.STALE_CLAIMS, days_ago)], TODAY)
    assert found.stale.count == stale


def test_days_add_up() -> None:
    rows = [day(MetricKey.AGING_BRACKETS, days_ago) for days_ago in (3, 4, 5)]
    assert open_claims(rows, TODAY).by_age[0] == Waiting(3, Decimal("31.50"))


def test_rows_of_a_payer_are_not_taken_for_the_whole() -> None:
    value = {"count": 1, "amount": "10.50"}
    of_wcb = row(MetricKey.AGING_BRACKETS, value, {"claim_type": "WCB"}, start=TODAY, end=TODAY)
    assert open_claims([of_wcb], TODAY).by_age[0].count == 0


def test_without_rows_nothing_is_open() -> None:
    found = open_claims([], TODAY)
    assert list(found.by_age) == list(NOTHING_OPEN.by_age)
    assert (found.due, found.stale) == (NOTHING_OPEN.due, NOTHING_OPEN.stale)
