"""Seeded claim events in seeded batches: what several consumers of several topics may bring."""

from random import Random
from typing import Any

from tests.integration.repositories.examples import paid, submitted, uuid_of
from tests.strategies import EventSpec

PROVIDERS = ("P", "Q", "R")
DAYS = ("2024-09-30", "2024-10-01", "2024-10-31", "2024-11-01")
LOCATIONS = (None, str(uuid_of("location L")), str(uuid_of("location M")))
CODES = tuple(f"03.{number:02}A" for number in range(14))


def history(random: Random, claims: int) -> list[EventSpec]:
    """Claims with one to four versions each, which move between months, codes and locations."""
    return [event for number in range(claims) for event in _life(random, str(number))]


def deliver(random: Random, events: list[EventSpec]) -> list[list[EventSpec]]:
    """Batches of 1 to 25 events in any order, every third event twice."""
    order = events + random.choices(events, k=len(events) // 3)
    random.shuffle(order)
    batches = []
    while order:
        size = random.randint(1, 25)
        batches.append(order[:size])
        order = order[size:]
    return batches


def _life(random: Random, claim: str) -> list[EventSpec]:
    provider = random.choice(PROVIDERS)
    versions = sorted(random.sample(range(1, 9), random.randint(1, 4)))
    return [
        random.choice((submitted, paid))(claim, version, provider, **_content(random))
        for version in versions
    ]


def _content(random: Random) -> dict[str, Any]:
    content: dict[str, Any] = {
        "date_of_service": random.choice(DAYS),
        "location_id": random.choice(LOCATIONS),
        "hsc_code": random.choice(CODES),
        "submitted_fee": f"{random.randint(0, 20000) / 100:.2f}",
    }
    if random.random() < 0.3:
        tier = random.choice((None, "SAME_DAY", "LATE"))
        content |= {"claim_type": "WCB", "form_id": "C050E", "timing_tier": tier}
    return content
