"""The bounded buffer between the partitions' readers and the one that applies batches.

While one batch is being applied the next fills up here; when that is full the readers wait, and
so, through them, does Kafka.
"""

import asyncio
import contextlib
import time
from typing import Generic

from consumers.batches import Batch, BatchPolicy, Chunk, Event

# One would leave the batch empty while its next fetch is under way.
PARTITIONS_AT_ONCE = 2


class Intake(Generic[Event]):
    """Collects chunks into batches. Readers `put`, one applier `take`s.

    Messages are keyed by provider, so a batch of few partitions has few providers, hence fewer
    rows to change and fewer that another topic's batch has locked. So readers take turns: they
    `put` what they read while they hold `turn`, up to `events_a_turn`; those that wait for it are
    served in the order in which they came.
    """

    def __init__(self, policy: BatchPolicy) -> None:
        self._policy = policy
        self._chunks: list[Chunk[Event]] = []
        self._events = 0
        self._bytes = 0
        self._oldest = 0.0
        self._changed = asyncio.Condition()
        self.turn = asyncio.Semaphore(PARTITIONS_AT_ONCE)

    @property
    def events_a_turn(self) -> int:
        return self._policy.max_events

    async def put(self, chunk: Chunk[Event]) -> None:
        """Add a chunk; waits while the batch at hand is full."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._full)
            if not self._chunks:
                self._oldest = time.monotonic()
            self._chunks.append(chunk)
            self._events += len(chunk.records)
            self._bytes += chunk.size
            self._changed.notify_all()

    async def take(self) -> Batch[Event]:
        """The next batch: waits until one is full, or has waited long enough."""
        async with self._changed:
            while not self._ready:
                await self._wait(self._time_left() if self._chunks else None)
            batch = Batch(self._chunks)
            self._empty()
        return batch

    async def clear(self) -> None:
        """Forget everything: it may be another member's now, and is read again."""
        async with self._changed:
            self._empty()

    def _empty(self) -> None:
        self._chunks, self._events, self._bytes = [], 0, 0
        self._changed.notify_all()

    @property
    def _ready(self) -> bool:
        return bool(self._chunks) and (self._full or self._time_left() <= 0)

    @property
    def _full(self) -> bool:
        return self._events >= self._policy.max_events or self._bytes >= self._policy.max_bytes

    def _time_left(self) -> float:
        return self._oldest + self._policy.linger_seconds - time.monotonic()

    async def _wait(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
