"""What the doctor finds."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    FINE = "fine"
    LOOK = "look"  # a person should know; it may be as it is meant
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """`area` is what was looked at, such as PostgreSQL; what is not fine says what to do."""

    area: str
    level: Level
    said: str


def fine(area: str, said: str) -> Finding:
    return Finding(area, Level.FINE, said)


def look(area: str, said: str) -> Finding:
    return Finding(area, Level.LOOK, said)


def wrong(area: str, said: str) -> Finding:
    return Finding(area, Level.WRONG, said)
