"""Claim events as messages: made by the simulator or by hand, and read back for the oracle."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from random import Random

from service.kafka import Message
from service.simulator import Imperfections, OutgoingEvent, Simulator
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.oracle import PlainEvent
from tests.strategies import PAID as PAID_TYPE
from tests.strategies import EventSpec, to_message

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
# Plenty of what a network of publishers does to a sequence; garbage comes from elsewhere.
DISORDERLY = Imperfections(duplicates=0.1, late=0.1, shuffled=0.2, paid_first=0.1, garbage=0)


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
        pairs = zip(self.messages, self.events, strict=True)
        own = [(message, event) for message, event in pairs if message.topic == topic]
        return Load([message for message, _ in own], [event for _, event in own])


def simulated(deployment: Deployment, count: int, seed: int = 1, providers: int = 12) -> Load:
    """`count` events of the simulator in some disorder, a third in structured mode.

    The keys are random, so that the events of one claim are in different partitions.
    """
    rng = Random(seed)
    simulator = Simulator(seed, providers, NOW, 6, DISORDERLY, structured_share=0.3)
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
    topic = PAID if spec.event_type == PAID_TYPE else SUBMITTED
    return Message(deployment.topic(topic), key, value, headers)


def identities(events: Iterable[PlainEvent]) -> set[tuple[str, int]]:
    """Claim and version of each."""
    return {(event["data"]["claim_id"], event["data"]["claim_version"]) for event in events}


def nonsense(deployment: Deployment, count: int, name: str = SUBMITTED) -> list[Message]:
    """Messages that can never be used."""
    return [Message(deployment.topic(name), b"key", b"nonsense %d" % n) for n in range(count)]
