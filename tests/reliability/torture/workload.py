"""What is published: claim events, the coach's, profiles and report requests, all from one seed."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from uuid import UUID

from aiokafka import AIOKafkaProducer

from service.kafka import Message
from service.local.demo.upstream import profile
from service.local.simulator import Imperfections, Platform, SimulatedProvider, Simulator, Tally
from tests.harness.deployment import Deployment
from tests.harness.kafka import send
from tests.harness.messages import NOW, plain
from tests.harness.reports import request
from tests.oracle import PlainEvent

IMPERFECTIONS = Imperfections(
    duplicates=0.22, late=0.08, shuffled=0.17, paid_first=0.08, garbage=0.01
)
COURSE = Platform(drafted=0.15, coached=0.1)
ANY_KEY = 0.2  # so much has a key of its own, and so comes by another partition, out of order
ASKED_TWICE = 0.25  # of the report requests
STEPS = 20  # in which a part is published
KINDS = (
    ("ACCOUNTANT_SUMMARY", "CSV"),
    ("ACCOUNTANT_DETAIL", "CSV"),
    ("DATA_PORTABILITY", "ZIP"),
    ("REJECTION_DIGEST", "CSV"),
    ("MONTHLY_PERFORMANCE", "PDF"),
)


Identity = tuple[object, ...]


@dataclass(frozen=True)
class Sent:
    """A message, and what is known of it; `event` is None for one that is no event of a claim or
    of the coach, `garbage` for one that can never be used."""

    message: Message
    event: PlainEvent | None = None
    garbage: bool = False


@dataclass(frozen=True)
class Size:
    """How much; the providers' claims are spread over half a year. A part of it is published in so
    many seconds or more, beside a fault."""

    events: int
    reports: int
    providers: int = 12
    seconds: float = 2.0


@dataclass
class Workload:
    """All that one run publishes, in order, and what the simulator counts of it."""

    sent: list[Sent]
    reports: dict[UUID, UUID]  # each report's provider
    providers: Sequence[SimulatedProvider]
    tally: Tally

    @property
    def events(self) -> list[PlainEvent]:
        return [one.event for one in self.sent if one.event]

    @property
    def garbage(self) -> set[Identity]:
        spoiled = [one.message for one in self.sent if one.garbage]
        return {identity_of(one.topic, one.value, one.headers) for one in spoiled}

    @property
    def disorder(self) -> float:
        """The share of events that come out of their order."""
        tally = self.tally
        late = tally.late + tally.shuffled + tally.paid_first
        return late / (tally.events + tally.suggestions)

    def split(self, parts: int) -> list[list[Sent]]:
        total = len(self.sent)
        cuts = [total * n // parts for n in range(parts + 1)]
        return [self.sent[a:b] for a, b in pairwise(cuts)]


def make_workload(deployment: Deployment, seed: int, size: Size) -> Workload:
    """Profiles come first, report requests evenly among the events, some of them twice."""
    rng = Random(f"workload {seed}")
    simulator = Simulator(seed, size.providers, NOW, 6, IMPERFECTIONS, 0.3, COURSE)
    sent: list[Sent] = []
    spoiled = 0
    for event in simulator.history(size.events):
        garbage, spoiled = (
            simulator.tally.garbage.total() > spoiled,
            simulator.tally.garbage.total(),
        )
        key = rng.randbytes(4) if rng.random() < ANY_KEY else event.key
        message = Message(deployment.topic(event.topic_key), key, event.value, event.headers)
        sent.append(Sent(message, None if garbage else plain(event), garbage))
    reports: dict[UUID, UUID] = {}
    requests: list[Sent] = []
    for number in range(size.reports):
        kind, file_format = KINDS[number % len(KINDS)]
        report_id = UUID(int=rng.getrandbits(128), version=4)
        reports[report_id] = UUID(rng.choice(simulator.providers).provider_id)
        asked: dict[str, str | None] = {"report_type": kind, "format": file_format}
        if file_format == "ZIP":
            asked |= dict.fromkeys(("period_start", "period_end"))
        one = Sent(request(deployment, report_id, reports[report_id], **asked))
        requests += [one] * (2 if rng.random() < ASKED_TWICE else 1)
    whole = [Sent(profile(deployment.settings, provider, NOW)) for provider in simulator.providers]
    every = len(sent) / max(1, len(requests))
    for number, one in enumerate(requests):
        whole += [*sent[int(number * every) : int((number + 1) * every)], one]
    return Workload(whole, reports, simulator.providers, simulator.tally)


def identity_of(topic: str, value: bytes | None, headers: Iterable[object]) -> Identity:
    """What tells a message from all others, wherever in its topic it lies."""
    return topic, value, tuple(headers)


async def publish(client: AIOKafkaProducer, part: Sequence[Sent], seconds: float) -> None:
    """Little by little; returns when the broker has all of it, however long it was away."""
    size = len(part) // STEPS + 1
    for start in range(0, len(part), size):
        await send(client, [one.message for one in part[start : start + size]])
        await asyncio.sleep(seconds / STEPS)  # so that work comes throughout the fault
