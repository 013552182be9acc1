"""The events that are measured: one seeded history, the same in every run of the benchmark."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from service import wiring
from service.kafka import Message, kafka_admin, publisher
from service.settings import Settings
from service.simulator import FLAWLESS, OutgoingEvent, Simulator
from service.topics import create_missing_topics

TOPICS = ["claim-submitted", "claim-paid"]


@dataclass(frozen=True)
class Workload:
    """`events` of `providers` physicians over `months`, without imperfections.

    Three months of 1,000 physicians are a dense backlog for 200,000 events, and yet thinner than
    life, where a physician sends as many in two weeks. Spread over years each event would touch
    rows of its own; docs/performance.md says what that costs.
    """

    events: int = 200_000
    providers: int = 1_000
    months: int = 3
    seed: int = 2

    def history(self) -> Iterator[OutgoingEvent]:
        now = datetime(2026, 10, 1, tzinfo=UTC)
        simulator = Simulator(self.seed, self.providers, now, self.months, FLAWLESS)
        return simulator.history(self.events)


async def preload(settings: Settings, workload: Workload) -> None:
    """Create the topics of `settings` and fill them."""
    connection = wiring.kafka_connection(settings)
    async with kafka_admin(connection) as admin:
        await create_missing_topics(admin, settings, TOPICS)
    async with publisher(connection) as publishing:
        for event in workload.history():
            await publishing.send(message(settings, event))


def message(settings: Settings, event: OutgoingEvent) -> Message:
    return Message(settings.topic(event.topic_key), event.key, event.value, event.headers)
