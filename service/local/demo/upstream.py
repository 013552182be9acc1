"""The platform around the service, simulated: it publishes claims and physicians' profiles."""

import asyncio
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NoReturn
from uuid import UUID, uuid4

from pydantic import BaseModel

from consumers.contracts.registry import PROVIDER_UPDATED, Contract
from service.kafka import Message
from service.local.demo.environment import Clients
from service.local.simulator import OutgoingEvent, SimulatedProvider, Simulator
from service.settings import Settings

SOURCE: Final = "/claim-analytics/demo"
YIELD_EVERY = 20  # messages between two chances for other tasks
MOST_LATE_SECONDS = 1.0  # later events are not made up for: a laptop may have slept
# A location's name: one word of each of these, chosen by its id.
PLACE_NAMES: Final = (
    (
        *("Aspen", "Bluebird", "Chinook", "Foothill", "Lodgepole", "Meadowlark", "Saskatoon"),
        *("Spruce", "Tamarack", "Wapiti", "Wild Rose", "Willow"),
    ),
    ("Bend", "Creek", "Crossing", "Hills", "Lake", "Ridge", "Valley"),
    ("Associate Clinic", "Family Clinic", "Health Centre", "Medical Centre"),
)


class Phase(Enum):
    """What the upstream is doing."""

    WAITING = "waiting"
    HISTORY = "history"  # as fast as it goes
    PUBLISHED = "published"  # the history is with the broker
    LIVE = "live"  # at a given pace


class Upstream:
    """Publishes what a simulator makes: months of history, then what happens now.

    `published` counts claim messages, of which the history is to have `history`; `profiles`
    counts the profiles.
    """

    def __init__(self, clients: Clients, simulator: Simulator, history: int) -> None:
        self._simulator = simulator
        self._publishing = clients.publishing
        self._settings = clients.settings
        self.history = history
        self.published = 0
        self.profiles = 0
        self.phase = Phase.WAITING

    async def publish_profiles(self) -> None:
        """Publish a profile of each physician."""
        now = datetime.now(UTC)
        for provider in self._simulator.providers:
            await self._publishing.send(profile(self._settings, provider, now))
            self.profiles += 1

    async def play_history(self) -> None:
        """Publish the history; returns when the broker has acknowledged all of it."""
        self.phase = Phase.HISTORY
        for event in self._simulator.history(self.history):
            await self._publish(event)
            if self.published % YIELD_EVERY == 0:
                await asyncio.sleep(0)  # the consumers share this loop
        await self._publishing.flush()
        self.phase = Phase.PUBLISHED

    async def play_live(self, per_second: float) -> NoReturn:
        """Go on with what happens now, so many events a second, until cancelled."""
        self.phase = Phase.LIVE
        due = time.monotonic()
        for event in self._simulator.live(per_second):
            await self._publish(event)
            due = max(due + 1 / per_second, time.monotonic() - MOST_LATE_SECONDS)
            await asyncio.sleep(max(0.0, due - time.monotonic()))  # until the next event is due
        raise AssertionError("live events have no end")

    async def _publish(self, event: OutgoingEvent) -> None:
        topic = self._settings.topic(event.topic_key)
        await self._publishing.send(Message(topic, event.key, event.value, event.headers))
        self.published += 1


def profile(settings: Settings, provider: SimulatedProvider, at: datetime) -> Message:
    """The first version of a physician's profile."""
    first_name, last_name = provider.name.removeprefix("Dr. ").split(" ", 1)
    number = UUID(provider.provider_id).int
    data = {
        "provider_id": provider.provider_id,
        "provider_version": 1,
        "first_name": first_name,
        "last_name": last_name,
        "billing_number": f"{number % 10**4:04}-{number // 10**4 % 10**5:05}",
        "locations": [
            {
                "location_id": location.location_id,
                "name": place_name(location.location_id),
                "rrnp_rate": str(int(location.rrnp_rate * 100)),  # in percent
            }
            for location in provider.locations
        ],
    }
    return cloud_event(settings, PROVIDER_UPDATED, provider.key, data, at)


def place_name(location_id: str) -> str:
    """A believable name for a made-up location, always the same for an id."""
    number, words = UUID(location_id).int, []
    for choices in PLACE_NAMES:
        number, choice = divmod(number, len(choices))
        words.append(choices[choice])
    return " ".join(words)


def cloud_event(
    settings: Settings,
    contract: Contract[BaseModel],
    key: bytes,
    data: Mapping[str, Any],
    at: datetime,
) -> Message:
    """A message of the contract in CloudEvents' binary mode."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid4()),
        "ce_source": SOURCE,
        "ce_type": contract.event.name,
        "ce_time": at.isoformat(),
        "content-type": "application/json",
    }
    topic = settings.topic(contract.topic)
    encoded = [(name, value.encode()) for name, value in headers.items()]
    return Message(topic, key, json.dumps(data).encode(), encoded)
