"""Seeded claim events in seeded batches: what several consumers of several topics may bring."""

from collections.abc import Callable
from random import Random
from typing import Any

from tests.integration.repositories.examples import (
    adjusted,
    assessed,
    expired,
    paid,
    rejected,
    saved,
    submitted,
    uuid_of,
    withdrawn,
    written_off,
)
from tests.strategies import EventSpec

PROVIDERS = ("P", "Q", "R")
DAYS = ("2024-09-30", "2024-10-01", "2024-10-31", "2024-11-01")
CREATED = ("2024-11-01T05:59:59Z", "2024-11-01T06:00:00Z", "2024-11-03T08:30:00Z")
LOCATIONS = (None, str(uuid_of("location L")), str(uuid_of("location M")))
STAGES = ("DRAFT", "VALIDATED", "QUEUED")
# Mostly what the platform sends most, and some of everything.
EVENTS = (
    submitted, submitted, submitted, paid, paid, rejected, rejected, assessed, adjusted, saved,
    saved, written_off, expired, withdrawn,
)  # fmt: skip
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
    return [_event(random, random.choice(EVENTS), claim, version, provider) for version in versions]


def _event(
    random: Random, kind: Callable[..., EventSpec], claim: str, version: int, provider: str
) -> EventSpec:
    own: dict[str, Any] = {}
    if kind is saved:
        own["stage"] = random.choice(STAGES)
        own["created_at"] = random.choice(CREATED)
    if kind in (saved, rejected):
        own["submission_deadline"] = random.choice((None, *DAYS))
    if kind in (assessed, rejected, adjusted):
        own["explanatory_codes"] = random.choices(CODES[:3], k=random.randint(0, 3))
    return kind(claim, version, provider, **_content(random), **own)


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
