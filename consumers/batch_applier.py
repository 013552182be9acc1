"""From a batch to rows, dead letters and committed offsets, in this order."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic

from aiokafka import AIOKafkaConsumer, OffsetAndMetadata
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaTimeoutError

from consumers.batches import Batch, Event
from consumers.brake import Brake
from consumers.dead_letter_queue import DeadLetterQueue
from consumers.dead_letters import DeadLetter, Record
from consumers.handler import Outcome, Refusal, Subscription
from consumers.progress import Progress
from consumers.retry import Result, RetryPolicy, until_it_succeeds
from repositories.consumer_offsets import NextOffset
from repositories.database import Database

log = logging.getLogger(__name__)

COMMIT_SECONDS = 5  # the client itself would try for ever, and in silence


class BatchApplier(Generic[Event]):
    """Applies the batches of one consumer, one after the other."""

    def __init__(
        self,
        subscription: Subscription[Event],
        group: str,
        database: Database,
        dead_letter_queue: DeadLetterQueue,
        brake: Brake,
        retry: RetryPolicy,
        progress: Progress,
    ) -> None:
        self._subscription = subscription
        self._group = group
        self._database = database
        self._dead_letter_queue = dead_letter_queue
        self._brake = brake
        self._retry = retry
        self._progress = progress

    async def apply(self, batch: Batch[Event], consumer: AIOKafkaConsumer) -> None:
        """Apply one batch.

        1. Brake: stop before a flood of bad messages is dead-lettered.
        2. One transaction: the events' effect, and the offsets after them.
        3. Dead letters, each acknowledged by the broker.
        4. Only then the offsets, to Kafka.

        A crash after 2 or 3 leaves Kafka's offset behind: the batch comes again, the history makes
        its events duplicates, and its dead letters are sent a second time.

        Raises ConsumerStopped, or another error that no repetition can mend.
        """
        started = time.monotonic()
        events, records, letters = batch.split()
        self._brake.observe(batch.unusable())
        outcome = await self._handle(events, batch)
        refused = [_letter(refusal, records) for refusal in outcome.refusals]
        self._brake.observe(True for _ in refused)
        letters += refused
        if letters:
            await self._dead_letter(letters)
        await self._commit(batch, consumer)
        self._count(batch, outcome, letters)
        self._note_lag(batch, consumer)
        self._log(batch, outcome, letters, time.monotonic() - started)

    async def _handle(self, events: Sequence[Event], batch: Batch[Event]) -> Outcome:
        after = batch.begins_after
        offsets = [
            NextOffset(self._group, partition.topic, partition.partition, offset, after[partition])
            for partition, offset in batch.next_offsets.items()
        ]

        def handle() -> Awaitable[Outcome]:
            return self._subscription.handle(self._database, events, offsets)

        return await self._keep_trying(handle, "applying a batch")

    async def _dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        async def publish() -> None:
            await self._dead_letter_queue.publish(letters, self._group)

        await self._keep_trying(publish, "publishing dead letters")

    async def _commit(self, batch: Batch[Event], consumer: AIOKafkaConsumer) -> None:
        offsets = {
            partition: OffsetAndMetadata(offset, "")
            for partition, offset in batch.next_offsets.items()
        }

        async def commit() -> None:
            try:
                async with asyncio.timeout(COMMIT_SECONDS):
                    await consumer.commit(offsets)
            except TimeoutError:
                raise KafkaTimeoutError from None

        try:
            await self._keep_trying(commit, "committing offsets")
        except (CommitFailedError, IllegalStateError):
            # The partitions are another member's now. It reads this batch again, which is harmless.
            log.info("offsets not committed: the group has rebalanced", extra=self._labels())

    async def _keep_trying(self, work: Callable[[], Awaitable[Result]], doing: str) -> Result:
        return await until_it_succeeds(work, f"{doing} of {self._subscription.name}", self._retry)

    def _count(self, batch: Batch[Event], outcome: Outcome, letters: Sequence[DeadLetter]) -> None:
        progress = self._progress
        progress.messages += len(batch)
        progress.batches += 1
        progress.applied += outcome.applied
        progress.stale += outcome.stale
        progress.duplicate += outcome.duplicate
        progress.dead_letters.update(letter.reason for letter in letters)

    def _note_lag(self, batch: Batch[Event], consumer: AIOKafkaConsumer) -> None:
        for partition, offset in batch.next_offsets.items():
            end = consumer.highwater(partition) if partition in consumer.assignment() else None
            if end is not None:
                self._progress.lag[partition.partition] = max(0, end - offset)

    def _log(
        self,
        batch: Batch[Event],
        outcome: Outcome,
        letters: Sequence[DeadLetter],
        seconds: float,
    ) -> None:
        if not len(batch):
            return
        counts = {
            "messages": len(batch),
            "applied": outcome.applied,
            "stale": outcome.stale,
            "duplicate": outcome.duplicate,
            "dead_lettered": len(letters),
            "cache_rows": outcome.changed_rows,
            "milliseconds": round(seconds * 1000, 1),
        }
        log.info("batch applied", extra=self._labels() | counts)

    def _labels(self) -> dict[str, object]:
        return {"consumer": self._subscription.name}


def _letter(refusal: Refusal, records: Sequence[Record]) -> DeadLetter:
    return DeadLetter(refusal.reason, refusal.detail, records[refusal.position])
