"""Which message is an event, which a copy, which garbage."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from random import Random

from service.simulator.imperfections import Imperfections


class Kind(Enum):
    """What the next message is."""

    EVENT = auto()
    DUPLICATE = auto()
    GARBAGE = auto()


@dataclass(frozen=True, slots=True)
class Shares:
    """How many messages of a finite sequence are of which kind."""

    events: int
    duplicates: int
    garbage: int

    @classmethod
    def of(cls, messages: int, rates: Imperfections) -> "Shares":
        """At least one event, if there is any message: there is nothing to copy or spoil else."""
        duplicates, garbage = int(messages * rates.duplicates), int(messages * rates.garbage)
        return cls(messages - duplicates - garbage, duplicates, garbage)


def exact_plan(rng: Random, shares: Shares) -> Iterator[Kind]:
    """Exactly these shares in random order, an event first: drawn one by one, without a list."""
    events, duplicates, garbage = shares.events, shares.duplicates, shares.garbage
    if events:
        yield Kind.EVENT
        events -= 1
    while left := events + duplicates + garbage:
        draw = rng.random() * left
        if draw < duplicates:
            duplicates -= 1
            yield Kind.DUPLICATE
        elif draw < duplicates + garbage:
            garbage -= 1
            yield Kind.GARBAGE
        else:
            events -= 1
            yield Kind.EVENT


def endless_plan(rng: Random, rates: Imperfections) -> Iterator[Kind]:
    """The same shares on average, an event first, without end."""
    yield Kind.EVENT
    while True:
        draw = rng.random()
        if draw < rates.duplicates:
            yield Kind.DUPLICATE
        elif draw < rates.duplicates + rates.garbage:
            yield Kind.GARBAGE
        else:
            yield Kind.EVENT
