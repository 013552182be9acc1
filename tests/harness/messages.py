"""Events as messages: made by the simulator or by hand, and read back for the oracle."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

from consumers.contracts.registry import AI_SUGGESTION, CONTRACT_BY_TYPE
from service.kafka import Message
from service.local.simulator import Course, Imperfections, OutgoingEvent, Platform, Simulator
from service.message_files import read_messages
from tests.harness.deployment import SUBMITTED, Deployment
from tests.oracle import PlainEvent
from tests.strategies import SUGGESTION, EventSpec, to_message

EXAMPLES = Path(__file__).parents[2] / "docs" / "contracts" / "examples"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Plenty of what a network of publishers does to a sequence; garbage comes from elsewhere.
DISORDERLY = Imperfections(duplicates=0.1, late=0.1, shuffled=0.2, paid_first=0.1, garbage=0)
CLAIMS_OF_ALL_KINDS = Platform(drafted=0.1, coached=0.0)


@dataclass(frozen=True)
class Load:
    """Messages of good events, and what the oracle must know of them."""

    messages: list[Message]
    events: list[PlainEvent]

    def split(self, parts: int) -> list["Load"]:
        """In parts of about one size, in order."""
        total = len(self.messages)
        cuts = [total * n // parts for n in range(parts + 1)]
        return [Load(self.messages[a:b], self.events[a:b]) for a, b in pairwise(cuts)]

    def of(self, topic: str) -> "Load":
        """The part for one topic."""
        return self._where(lambda message: message.topic == topic)

    def without(self, topic: str) -> "Load":
        """The part for all other topics."""
        return self._where(lambda message: message.topic != topic)

    def _where(self, wanted: Callable[[Message], bool]) -> "Load":
        pairs = zip(self.messages, self.events, strict=True)
        own = [(message, event) for message, event in pairs if wanted(message)]
        return Load([message for message, _ in own], [event for _, event in own])


def simulated(
    deployment: Deployment,
    count: int,
    seed: int = 1,
    providers: int = 12,
    course: Course = CLAIMS_OF_ALL_KINDS,
) -> Load:
    """`count` claim events, of all kinds, in some disorder, a third in structured mode.

    The keys are random, so that the events of one claim are in different partitions.
    """
    rng = Random(seed)
    simulator = Simulator(seed, providers, NOW, 6, DISORDERLY, 0.3, course)
    events = list(simulator.history(count))
    messages = [
        Message(deployment.topic(event.topic_key), rng.randbytes(4), event.value, event.headers)
        for event in events
    ]
    return Load(messages, [plain(event) for event in events])


def plain(event: OutgoingEvent) -> PlainEvent:
    """What a message of the simulator says, for the oracle."""
    value = json.loads(event.value, parse_float=Decimal)
    if "specversion" in value:
        return {"type": value["type"], "data": value["data"]}
    return {"type": dict(event.headers)["ce_type"].decode(), "data": value}


def message(deployment: Deployment, spec: EventSpec, key: bytes | None = b"key") -> Message:
    """The message of an event made by hand, for the topic of its type."""
    headers, value = to_message(spec)
    topic = deployment.topic(CONTRACT_BY_TYPE[spec.event_type].topic)
    return Message(topic, key, value, headers)


def coach_examples(deployment: Deployment, name: str = "accepted/ai-suggestion") -> Load:
    """The AI coach's events of a file of the documented examples."""
    topic = deployment.topic(AI_SUGGESTION.topic)
    read = read_messages(EXAMPLES / f"{name}.jsonl", deployment.settings)
    messages = [message for message in read if message.topic == topic]
    said = [json.loads(message.value or b"", parse_float=Decimal) for message in messages]
    return Load(messages, [{"type": SUGGESTION, "data": data} for data in said])


def identities(events: Iterable[PlainEvent]) -> set[tuple[str, int]]:
    """Claim and version of each; of the coach's events `event_id` and 0."""
    return {
        (data["event_id"], 0) if "event_id" in data else (data["claim_id"], data["claim_version"])
        for data in (event["data"] for event in events)
    }


def nonsense(deployment: Deployment, count: int, name: str = SUBMITTED) -> list[Message]:
    """Messages that can never be used."""
    return [Message(deployment.topic(name), b"key", b"nonsense %d" % n) for n in range(count)]
