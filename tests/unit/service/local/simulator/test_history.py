"""A history as a whole: its size, its order, its repeatability, its claims over time."""

import hashlib
import os
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

import pytest

from service.local.simulator import FLAWLESS, PAYMENTS, USUAL, Imperfections, Simulator
from tests.unit.service.local.simulator.reading import (
    NOW,
    ReadEvent,
    events_of,
    lives_of,
    read,
    simulator,
)

ROUGH = Imperfections(
    duplicates=0.3, another_id=0.5, late=0.2, shuffled=0.3, paid_first=0.3, garbage=0.2
)


@pytest.fixture(scope="module")
def tidy() -> list[ReadEvent]:
    return [read(message) for message in simulator().history(3_000)]


def test_the_same_seed_makes_the_same_messages() -> None:
    one, other = simulator(imperfections=ROUGH), simulator(imperfections=ROUGH)
    assert list(one.history(500)) == list(other.history(500))
    assert list(islice(one.live(), 200)) == list(islice(other.live(), 200))


def test_a_history_can_be_read_twice() -> None:
    source = simulator(imperfections=ROUGH)
    assert list(source.history(300)) == list(source.history(300))


def test_another_seed_makes_other_messages() -> None:
    one = {message.value for message in simulator(seed=1).history(100)}
    other = {message.value for message in simulator(seed=2).history(100)}
    assert one.isdisjoint(other)


def test_submissions_and_payments_alone_are_what_they_were_at_fe9f15f() -> None:
    """Benchmarks compare with that commit on the same bytes."""
    now = datetime(2026, 10, 1, tzinfo=UTC)
    source = Simulator(2, 50, now, 3, FLAWLESS, course=PAYMENTS)
    digest = hashlib.sha256()
    for event in source.history(2_000):
        digest.update(repr((event.topic_key, event.key, event.headers, event.value)).encode())
    assert digest.hexdigest() == "1c6e117c8207ffe7a4a46d9afee704fd702e6fe6e7c61b778107f069bf76e7fc"


def test_messages_do_not_depend_on_the_process() -> None:
    program = (
        "import hashlib; from tests.unit.service.local.simulator.reading import simulator;"
        "print(hashlib.sha256(repr(list(simulator().history(50))).encode()).hexdigest())"
    )
    here = hashlib.sha256(repr(list(simulator().history(50))).encode()).hexdigest()
    environment = {**os.environ, "PYTHONHASHSEED": "1"}
    there = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert there.stdout.strip() == here


@pytest.mark.parametrize("imperfections", [USUAL, ROUGH])
@pytest.mark.parametrize("events", [0, 1, 2, 17, 800])
@pytest.mark.parametrize("months", [1, 18])
def test_a_history_has_exactly_as_many_messages_as_asked(
    events: int, months: int, imperfections: Imperfections
) -> None:
    source = simulator(months=months, imperfections=imperfections)
    assert sum(1 for _ in source.history(events)) == events
    assert source.tally.messages == events


@pytest.mark.parametrize("weekday", range(7))
def test_the_count_is_exact_on_any_day_of_the_week(weekday: int) -> None:
    source = simulator(now=NOW + timedelta(days=weekday))
    assert sum(1 for _ in source.history(400)) == 400


def test_a_tidy_history_is_in_order_and_reaches_from_months_ago_to_yesterday(
    tidy: list[ReadEvent],
) -> None:
    times = [event.at for event in tidy]
    assert times == sorted(times)
    assert NOW - timedelta(days=183) <= times[0] <= NOW - timedelta(days=175)
    assert NOW - timedelta(days=2) <= times[-1] < NOW


def test_no_month_in_the_middle_is_empty_or_crowded(tidy: list[ReadEvent]) -> None:
    months = [sum(event.at.month == month for event in tidy) for month in (2, 3, 4, 5)]
    assert all(350 <= count <= 750 for count in months)


def test_now_in_another_time_zone_is_the_same_now() -> None:
    later = NOW.astimezone(datetime.strptime("+0900", "%z").tzinfo)
    assert list(simulator(now=later).history(50)) == list(simulator(now=NOW).history(50))


def test_a_long_history_is_made_as_it_is_read() -> None:
    source = simulator(months=18)
    tracemalloc.start()
    try:
        list(islice(source.history(1_000_000), 50))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_versions_of_a_claim_grow_by_one_with_time(tidy: list[ReadEvent]) -> None:
    for life in lives_of(tidy):
        assert [event.data["claim_version"] for event in life] == list(range(1, len(life) + 1))
        assert all(one.at < other.at for one, other in pairwise(life))


def test_a_claim_keeps_its_provider_its_patient_and_its_visit(tidy: list[ReadEvent]) -> None:
    for life in lives_of(tidy):
        for field in ("provider_id", "patient_phn", "date_of_service", "claim_type"):
            assert len({event.data[field] for event in life}) == 1


def test_a_claim_that_is_sent_again_mostly_has_another_code_or_fee(tidy: list[ReadEvent]) -> None:
    corrections = [
        (one.data, other.data)
        for life in lives_of(tidy)
        for one, other in pairwise(life)
        if other.state == "SUBMITTED"
    ]
    changed = [
        pair
        for pair in corrections
        if any(pair[0][name] != pair[1][name] for name in ("hsc_code", "submitted_fee"))
    ]
    assert len(changed) > len(corrections) * 0.8


def test_some_money_comes_in_a_later_month_than_its_service(tidy: list[ReadEvent]) -> None:
    payments = [event for event in tidy if event.topic_key == "claim-paid"]
    late = [event for event in payments if event.at.month != event.served.month]
    assert 0.2 < len(late) / len(payments) < 0.9


def test_imperfections_change_neither_the_claims_nor_what_is_said_of_them() -> None:
    rough = simulator(imperfections=Imperfections(0, 0, 0.3, 0.4, 0.3, 0))
    messy = {(event.identity, event.at) for event in events_of(rough.history(500))}
    tidy = {(event.identity, event.at) for event in map(read, simulator().history(500))}
    assert messy == tidy


def test_the_first_providers_are_the_same_however_many_there_are() -> None:
    assert simulator(providers=9).providers[:5] == simulator(providers=5).providers


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"providers": 0}, "at least 1 provider"),
        ({"months": 0}, "at least 1 month"),
        ({"now": datetime(2025, 6, 18)}, "time zone"),  # noqa: DTZ001 - that is the fault
        ({"structured_share": 1.5}, "structured_share"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        simulator(**options)


def test_a_negative_history_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="0 messages or more"):
        simulator().history(-1)


@pytest.mark.parametrize(
    "rates", [{"late": 1.1}, {"duplicates": 0.8, "garbage": 0.2}, {"late": 0.6, "shuffled": 0.5}]
)
def test_rates_that_make_no_sense_are_refused(rates: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"between 0 and 1|real events|at most 1"):
        Imperfections(**rates)


def test_nothing_happens_after_now_even_on_the_first_of_a_month() -> None:
    now = datetime(2025, 6, 1, 0, 0, tzinfo=UTC)
    times = [read(message).at for message in simulator(now=now).history(300)]
    assert max(times) < now
