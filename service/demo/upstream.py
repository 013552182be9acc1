"""The simulated claim service on its way to Kafka: months of history, then what happens now."""

import asyncio
import time
from enum import Enum
from typing import NoReturn

from service.kafka import Message, Publisher
from service.settings import Settings
from service.simulator import OutgoingEvent, Simulator

BREATH = 20  # messages between two chances for other tasks
FORGIVEN_SECONDS = 1.0  # what a laptop slept through is not made up for


class Phase(Enum):
    """What the upstream is doing."""

    WAITING = "waiting"
    HISTORY = "history"  # as fast as it goes
    PUBLISHED = "published"  # the history is with the broker
    LIVE = "live"  # at a given pace


class Upstream:
    """Publishes what a simulator makes. `published` counts messages, `history` is their plan."""

    def __init__(
        self, simulator: Simulator, publishing: Publisher, settings: Settings, history: int
    ) -> None:
        self._simulator = simulator
        self._publishing = publishing
        self._settings = settings
        self.history = history
        self.published = 0
        self.phase = Phase.WAITING

    async def play_history(self) -> None:
        """Publish the history; returns when the broker has acknowledged all of it."""
        self.phase = Phase.HISTORY
        for event in self._simulator.history(self.history):
            await self._publish(event)
            if self.published % BREATH == 0:
                await asyncio.sleep(0)
        await self._publishing.flush()
        self.phase = Phase.PUBLISHED

    async def play_live(self, per_second: float) -> NoReturn:
        """Go on with what happens now, so many events a second, until cancelled."""
        self.phase = Phase.LIVE
        due = time.monotonic()
        for event in self._simulator.live(per_second):
            await self._publish(event)
            due = max(due + 1 / per_second, time.monotonic() - FORGIVEN_SECONDS)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        raise AssertionError("live events have no end")

    async def _publish(self, event: OutgoingEvent) -> None:
        topic = self._settings.topic(event.topic_key)
        await self._publishing.send(Message(topic, event.key, event.value, event.headers))
        self.published += 1
