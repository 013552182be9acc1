"""What operators have ordered, as this process knows it; its readers look here and obey."""

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka import TopicPartition


class SkipTo(NamedTuple):
    """Where a stopped partition stands, and where it is to go on."""

    stands_at: int
    next: int


@dataclass
class Orders:
    """Topics that are paused, and stopped partitions that are to go on elsewhere.

    Nothing is read before they are `known`: an instance that starts is paused as the others are.
    Whoever carries a skip out takes it from `skips`.
    """

    known: asyncio.Event = field(default_factory=asyncio.Event)
    all_paused: bool = False
    paused: frozenset[str] = frozenset()  # topics
    skips: dict[TopicPartition, SkipTo] = field(default_factory=dict)

    def pauses(self, topic: str) -> bool:
        return self.all_paused or topic in self.paused
