"""The events that are measured: one seeded history, the same in every run of the benchmark."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from service import wiring
from service.kafka import Message, kafka_admin, publisher
from service.local.simulator import FLAWLESS, PAYMENTS, PLATFORM, OutgoingEvent, Simulator
from service.local.simulator.messages import EVENT_TYPES, SUGGESTION
from service.settings import PREFIX, Settings
from service.topics import create_missing_topics

TOPICS: Final = tuple(EVENT_TYPES)


@dataclass(frozen=True)
class Workload:
    """`events` of `providers` physicians over `months`, without imperfections.

    Three months of 1,000 physicians are a dense backlog for 200,000 events, and yet thinner than
    life, where a physician sends as many in two weeks. Spread over years each event would touch
    rows of its own; docs/performance.md says what that costs.

    With `payments_alone` claims are submitted and paid, and nothing else: the same bytes as those
    of former versions, which know no other events.
    """

    events: int = 200_000
    providers: int = 1_000
    months: int = 3
    seed: int = 2
    payments_alone: bool = False

    def simulator(self) -> Simulator:
        now = datetime(2026, 10, 1, tzinfo=UTC)
        course = PAYMENTS if self.payments_alone else PLATFORM
        return Simulator(self.seed, self.providers, now, self.months, FLAWLESS, course=course)

    def history(self) -> Iterator[OutgoingEvent]:
        return self.simulator().history(self.events)


def topics_named(prefix: str) -> dict[str, str]:
    """Settings that give each topic a name of its own."""
    return {
        f"{PREFIX}TOPIC_{topic.replace('-', '_').upper()}": f"{prefix}-{topic}" for topic in TOPICS
    }


async def preload(settings: Settings, workload: Workload) -> Counter[str]:
    """As `fill_topics`, with the workload's history."""
    return await fill_topics(settings, workload.history())


async def fill_topics(settings: Settings, events: Iterable[OutgoingEvent]) -> Counter[str]:
    """Create the topics of `settings` and fill them; returns how many events each topic has."""
    connection = wiring.kafka_connection(settings)
    filled: Counter[str] = Counter()
    async with kafka_admin(connection) as admin:
        await create_missing_topics(admin, settings, TOPICS)
    async with publisher(connection) as publishing:
        for event in events:
            await publishing.send(message(settings, event))
            filled[event.topic_key] += 1
    return filled


def of_claims(filled: Counter[str]) -> int:
    """How many of the events are claims' and not the coach's."""
    return filled.total() - filled[SUGGESTION]


def message(settings: Settings, event: OutgoingEvent) -> Message:
    return Message(settings.topic(event.topic_key), event.key, event.value, event.headers)
