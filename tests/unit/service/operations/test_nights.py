"""Each night is due once, by the clocks of its zone, whatever these do."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from pydantic import ValidationError

from service.operations.nights import Nights
from service.settings import Settings

EDMONTON = "America/Edmonton"


def nights(at: str = "03:00", zone: str = EDMONTON) -> Nights:
    found = Nights.parse(at, zone)
    assert found
    return found


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "night", "begins"),
    [
        ("03:00", date(2026, 1, 15), "2026-01-15T10:00"),  # MST: seven hours behind
        ("03:00", date(2026, 7, 15), "2026-07-15T09:00"),  # MDT: six
        ("03:00", date(2026, 3, 8), "2026-03-08T09:00"),  # clocks go from 02:00 to 03:00
        ("02:30", date(2026, 3, 8), "2026-03-08T09:30"),  # a time that they leave out
        ("01:30", date(2026, 11, 1), "2026-11-01T07:30"),  # one that they show twice: the first
        ("03:00", date(2026, 11, 1), "2026-11-01T10:00"),
    ],
)
def test_a_night_begins_at_its_time_also_when_clocks_change(
    at: str, night: date, begins: str
) -> None:
    assert nights(at).begins(night) == utc(begins)


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1), date(2026, 6, 1)])
@pytest.mark.parametrize("at", ["00:00", "01:30", "02:00", "02:30", "03:00", "23:59"])
def test_minute_by_minute_each_night_is_due_once(at: str, day: date) -> None:
    first = utc(day.isoformat()) - timedelta(hours=24)
    due = [nights(at).last_due(first + timedelta(minutes=n)) for n in range(3 * 24 * 60)]
    changes = [after for before, after in pairwise(due) if after != before]
    assert changes == [due[0] + timedelta(days=n) for n in (1, 2, 3)]


def test_a_night_that_has_not_begun_is_not_due() -> None:
    assert nights().last_due(utc("2026-07-15T08:59:59")) == date(2026, 7, 14)
    assert nights().last_due(utc("2026-07-15T09:00")) == date(2026, 7, 15)
    assert nights().last_due(utc("2026-07-16T04:00")) == date(2026, 7, 15)


def test_it_can_be_switched_off() -> None:
    assert Nights.parse("off", EDMONTON) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"nightly_at": "3:00"},
        {"nightly_at": "24:00"},
        {"nightly_at": "03:00:00"},
        {"nightly_at": "\u0660\u0663:\u0660\u0660"},  # decimal digits, of another script
        {"nightly_at": "never"},
        {"nightly_zone": "Alberta"},
        {"nightly_zone": "America"},
        {"nightly_zone": "../zone"},
        {"nightly_zone": ""},
    ],
)
def test_what_is_no_time_or_no_zone_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="expected a time"):
        Settings.model_validate(wrong)
