"""Profiles and report requests of the demo are what the service's own contracts take."""

from datetime import UTC, date, datetime
from itertools import islice
from types import SimpleNamespace
from typing import cast

import pytest

from consumers.dead_letters import DeadLetter, Record
from consumers.providers import decode_provider_update
from consumers.report_requests import decode_report_request
from service.demo.messages import profile, request
from service.demo.places import place_name
from service.demo.wishes import LATER, Wish, first_wishes, later_wishes, months_before
from service.kafka import Message
from service.settings import Settings
from service.simulator.providers import make_providers

SETTINGS = Settings.model_construct(
    topic_provider_updated="profiles", topic_report_request="requests"
)
PROVIDERS = make_providers(7, 30)
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
TODAY = NOW.date()


def record(message: Message) -> Record:
    place = {"partition": 0, "offset": 0, "timestamp": 0}
    return cast(Record, SimpleNamespace(**vars(message), **place))


def test_every_profile_can_be_read_and_names_the_physicians_locations() -> None:
    for provider in PROVIDERS:
        message = profile(SETTINGS, provider, NOW)
        update = decode_provider_update(record(message))
        assert not isinstance(update, DeadLetter)
        assert message.topic == "profiles"
        assert f"Dr. {update.first_name} {update.last_name}" == provider.name
        rates = {str(place.location_id): place.rrnp_rate for place in update.locations}
        assert rates == {place.location_id: place.rrnp_rate * 100 for place in provider.locations}


def test_a_location_has_the_same_name_each_time() -> None:
    location = PROVIDERS[0].locations[0].location_id
    assert place_name(location) == place_name(location)
    ids = {place.location_id for provider in PROVIDERS for place in provider.locations}
    assert len({place_name(location_id) for location_id in ids}) > len(ids) / 2


@pytest.mark.parametrize(
    "wish",
    [*first_wishes(TODAY), *islice(later_wishes(TODAY), len(LATER))],
    ids=lambda wish: f"{wish.report_type}-{wish.format}",
)
def test_every_wish_can_be_done(wish: Wish) -> None:
    message = request(SETTINGS, PROVIDERS[0], wish, NOW)
    asked = decode_report_request(record(message))
    assert not isinstance(asked, DeadLetter)
    assert message.topic == "requests"
    assert asked.problem is None
    assert asked.report_id == wish.report_id
    assert (asked.period_start, asked.period_end) == (wish.period_start, wish.period_end)


@pytest.mark.parametrize(
    ("today", "months", "period"),
    [
        (date(2026, 3, 15), 1, (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 3, 1), 3, (date(2025, 12, 1), date(2026, 2, 28))),
        (date(2026, 1, 31), 12, (date(2025, 1, 1), date(2025, 12, 31))),
    ],
)
def test_months_before_are_whole(today: date, months: int, period: tuple[date, date]) -> None:
    assert months_before(today, months) == period
