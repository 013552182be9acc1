"""How far behind each partition is that this process holds, in messages and in seconds.

In seconds: the age of the oldest message that is not applied, by its timestamp; 0 where none is
left. Until that message has been read its age is known within bounds alone: it came after the
message before it, and after the moment at which nothing was left. So it is told as the older of
what it can be. A partition that stands still, for whatever reason, grows older with the clock.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError

LOOK_SECONDS = 1.0
# So long after the broker's last word on a partition it is asked: nothing is fetched of one that is
# stopped or paused, or whose messages wait for the database.
ASK_AFTER_SECONDS = 10.0
ANSWER_SECONDS = 5.0


class Lag(NamedTuple):
    """Of one partition; messages at most, as there can be gaps between offsets."""

    messages: int
    seconds: float


@dataclass
class _Place:
    """`next` is the offset after what is applied. No message that is left is older than `since`, in
    seconds since 1970, which is only a first guess until one has been read. `end` is one past the
    last that can be read."""

    next: int
    since: float
    guessed: bool = True
    end: int | None = None


@dataclass
class Lags:
    """The service's loop writes, any thread may ask."""

    _places: dict[TopicPartition, _Place] = field(default_factory=dict)

    def begin(self, partition: TopicPartition, next_offset: int) -> None:
        """It is assigned, and read from there."""
        self._places[partition] = _Place(next_offset, time.time())

    def read(self, partition: TopicPartition, *timestamps_ms: int) -> None:
        """Messages with these timestamps were read, perhaps none; the first of all that are left
        counts."""
        place = self._places.get(partition)
        if place and place.guessed and timestamps_ms:
            place.since, place.guessed = timestamps_ms[0] / 1000, False

    def applied(
        self, partition: TopicPartition, next_offset: int, newest_ms: int | None = None
    ) -> None:
        """All before this offset is committed, and the last of it has this timestamp."""
        if place := self._places.get(partition):
            place.next = next_offset
            if newest_ms is not None:
                place.since, place.guessed = newest_ms / 1000, False

    def stopped_since(self, partition: TopicPartition, seconds: float) -> None:
        """It stands still since then, in seconds since 1970, as an instance before this one said
        of the same place."""
        place = self._places.get(partition)
        if place and place.guessed:
            place.since = min(place.since, seconds)

    def told(self, partition: TopicPartition, end: int) -> None:
        """The broker's word: one past the last message that can be read."""
        if place := self._places.get(partition):
            place.end = end
            if place.next >= end:
                place.since, place.guessed = time.time(), True

    def all(self, now: float) -> dict[TopicPartition, Lag]:
        """Of the partitions whose end is known."""
        found = {}
        for partition, place in self._places.copy().items():
            if (end := place.end) is not None:
                left = max(0, end - place.next)
                found[partition] = Lag(left, max(0.0, now - place.since) if left else 0.0)
        return found


async def keep_ends_known(consumer: AIOKafkaConsumer, lags: Lags) -> None:
    """Note where the client's partitions end, until cancelled. What it knows from its fetches costs
    nothing; of what it does not fetch it asks."""
    ask_at = 0.0
    while True:
        quiet = []
        for partition in consumer.assignment():
            end = consumer.last_stable_offset(partition)
            said = consumer.last_poll_timestamp(partition)
            if end is not None and said and time.time() - said / 1000 < ASK_AFTER_SECONDS:
                lags.told(partition, end)
            else:
                quiet.append(partition)
        if quiet and time.monotonic() >= ask_at:
            ask_at = time.monotonic() + ASK_AFTER_SECONDS
            # While Kafka is away nobody can say, and whoever reads tells of it.
            with suppress(KafkaError, IllegalStateError, TimeoutError):
                async with asyncio.timeout(ANSWER_SECONDS):
                    for partition, end in (await consumer.end_offsets(quiet)).items():
                        lags.told(partition, end)
        await asyncio.sleep(LOOK_SECONDS)  # between two looks
