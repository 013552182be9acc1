"""How figures are rounded and written, and which rows stand for nothing."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from tests.oracle import Value, cache_key, tables, without_zero_rows
from tests.unit.oracle.events import LOCATION, OCTOBER, PROVIDER, paid, rows, submitted, wcb


@pytest.mark.parametrize(
    ("fees", "average"),
    [
        (["0.01", "0.00"], "0.01"),  # 0.005
        (["0.02", "0.03"], "0.03"),  # 0.025: half to even would be 0.02
        (["0.01", "0.00", "0.00"], "0.00"),
        (["0.01", "0.01", "0.00"], "0.01"),
        (["99999999.99", "99999999.98"], "99999999.99"),
        (["0"], "0.00"),
    ],
)
def test_averages_are_rounded_half_away_from_zero(fees: list[str], average: str) -> None:
    events = [paid(n, assessed_fee=fee) for n, fee in enumerate(fees)]
    assert rows(*events, metric="avg_fee_per_claim")[None]["average"] == average


def test_a_claim_paid_at_zero_has_a_row() -> None:
    assert rows(paid(1, assessed_fee="0"), metric="claims_paid")[None] == {
        "count": 1,
        "amount": "0.00",
    }


def test_a_month_whose_payments_bear_no_code_has_no_top_codes() -> None:
    assert rows(paid(1, **wcb()), metric="top_hsc_codes") == {}


def test_rows_of_different_providers_stay_apart() -> None:
    other = UUID(int=2)
    cache = tables([submitted(1), submitted(2, provider_id=str(other))]).analytics_cache
    for provider in (PROVIDER, other):
        key = cache_key(provider, "claims_submitted", *OCTOBER, None)
        assert cache[key] == {"count": 1, "amount": "40.00"}


def test_python_values_do_as_well_as_those_of_the_wire() -> None:
    typed = {
        "date_of_service": date(2025, 10, 15),
        "location_id": LOCATION,
        "submitted_fee": Decimal(40),
        "payment_date": date(2025, 10, 24),
    }
    assert tables([paid(1, **typed)]) == tables([paid(1)])


@pytest.mark.parametrize(
    "value",
    [
        {"count": 0, "amount": "0.00"},
        {"count": 0, "amount": "0.00", "average": "0.00"},
        {"count": 0, "days": 0, "average_days": "0.00"},
        {"submitted": 0, "paid": 0, "rejected": 0, "decided": 0, "rejection_rate": "0.00"},
        {"count": 0, "amount": "0.00", "difference": "0.00"},
        {"codes": []},
        {"rules": []},
    ],
)
def test_a_row_that_fell_back_to_nothing_is_left_out(value: Value) -> None:
    assert without_zero_rows({cache_key(PROVIDER, "any", *OCTOBER, None): value}) == {}


@pytest.mark.parametrize(
    "value",
    [
        {"count": 1, "amount": "0.00"},
        {"count": 0, "amount": "0.01"},
        {"count": 0, "amount": "-0.01"},
        {"count": 0, "amount": "0.00", "difference": "-0.01"},
        {"count": 0, "amount": "0"},
        {"count": 0, "amount": 0.0},
        {"count": False, "amount": "0.00"},
        {"count": None},
        {},
        {"codes": [{"hsc_code": "A", "count": 0, "amount": "0.00"}]},
    ],
)
def test_a_row_with_anything_else_in_it_stays(value: Value) -> None:
    rows_read = {cache_key(PROVIDER, "any", *OCTOBER, {"ba_number": "1"}): value}
    assert without_zero_rows(rows_read) == rows_read
