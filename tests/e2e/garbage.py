"""Messages that nobody can use: noise, and good events that were spoiled."""

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random

from service.kafka import Message

# Each can stand nowhere in a claim event; a boolean is no integer, text or date.
IMPOSSIBLE: tuple[object, ...] = (True, -1, [[]], {"a": None}, "", "\x00", 1e400, "2025-02-30")
REQUIRED = ("claim_id", "claim_version", "provider_id", "claim_type", "date_of_service")


def random_garbage(rng: Random, topic: str) -> Message:
    """Noise, or JSON that is no event, under headers that may look right."""
    value = rng.choice((rng.randbytes(rng.randint(0, 200)), _random_json(rng)))
    headers = [
        ("ce_specversion", rng.choice((b"1.0", b"0.3", b"\xff", b""))),
        ("ce_type", rng.choice((b"ca.meritum.claim.submitted.v1", b"other", rng.randbytes(3)))),
        ("content-type", rng.choice((b"application/json", b"application/cloudevents+json"))),
        ("ce_time", b"2026-01-01T00:00:00Z"),
    ]
    return Message(topic, rng.randbytes(4), value, rng.sample(headers, rng.randint(0, 4)))


def spoiled(rng: Random, good: Message) -> Message:
    """A good event with one thing wrong."""
    return rng.choice(SPOILERS)(rng, good)


def _cut_short(rng: Random, good: Message) -> Message:
    value = good.value or b""
    return replace(good, value=value[: rng.randrange(len(value))])


def _broken_byte(rng: Random, good: Message) -> Message:
    value = bytearray(good.value or b"")
    value[rng.randrange(len(value))] = 0xFF  # stands nowhere in UTF-8
    return replace(good, value=bytes(value))


def _without_content_type_or_attributes(_rng: Random, good: Message) -> Message:
    return replace(good, headers=[("other", b"header")])


def _without_a_field(rng: Random, good: Message) -> Message:
    event, data = _parsed(good)
    del data[rng.choice(REQUIRED)]
    return replace(good, value=json.dumps(event).encode())


def _with_an_impossible_field(rng: Random, good: Message) -> Message:
    event, data = _parsed(good)
    data[rng.choice(REQUIRED)] = rng.choice(IMPOSSIBLE)
    return replace(good, value=json.dumps(event).encode())


def _for_the_other_topic(_rng: Random, good: Message) -> Message:
    event, data = _parsed(good)
    other = f"ca.meritum.claim.{'paid' if 'submitted_at' in data else 'submitted'}.v1"
    if "specversion" in event:
        event["type"] = other
        return replace(good, value=json.dumps(event).encode())
    headers = [(n, other.encode() if n == "ce_type" else value) for n, value in good.headers]
    return replace(good, headers=headers)


def _parsed(good: Message) -> tuple[dict[str, object], dict[str, object]]:
    """The value, and the data in it: the whole value in binary mode."""
    event = json.loads(good.value or b"")
    return event, event["data"] if "specversion" in event else event


def _random_json(rng: Random) -> bytes:
    values: tuple[object, ...] = (
        None,
        1,
        "text",
        [],
        {},
        {"specversion": "1.0"},
        [{"data": {}}],
        {"claim_id": 1},
    )
    return json.dumps(rng.choice(values)).encode()


SPOILERS: tuple[Callable[[Random, Message], Message], ...] = (
    _cut_short,
    _broken_byte,
    _without_content_type_or_attributes,
    _without_a_field,
    _with_an_impossible_field,
    _for_the_other_topic,
)
