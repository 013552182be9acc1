"""From a batch to rows, dead letters and committed offsets, in this order."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic

from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaTimeoutError

from consumers.contracts.letters import letter_of
from consumers.contracts.refusal import DeadLetter
from consumers.engine.applied import AppliedBatches
from consumers.engine.brake import BAD, Brakes
from consumers.engine.dead_letters import DeadLetterQueue, read_again
from consumers.engine.errors import MassDeadLettering
from consumers.engine.intake import Batch
from consumers.engine.retry import Result, RetryPolicy, until_it_succeeds
from consumers.engine.subscription import Event, Outcome, Progress, Refusal, Subscription
from consumers.kafka.reach import reachable
from consumers.supervision.pulse import resting
from consumers.telemetry.batches import Step
from consumers.telemetry.spans import Attributes, Kind, Span, span
from repositories.errors import DatabaseBehind, RepositoryError
from repositories.offsets import LOST, NextOffset, stored_offsets
from repositories.operations.letters import (
    BatchLetters,
    Letter,
    LetterId,
    highest_unresolved,
    store_copies,
)
from repositories.postgres.database import Database

log = logging.getLogger(__name__)

DIFFERENTLY = (
    "messages that are applied already read differently now: the decoder has changed. They were"
    " left as they are; `claim-analytics replay --redecode` corrects them"
)
COMMIT_SECONDS = 5  # the client itself would try for ever, and in silence


@dataclass
class Applier(Generic[Event]):
    """Applies the batches of one lane, one after the other."""

    subscription: Subscription[Event]
    group: str
    lane: int
    database: Database
    dead_letter_queue: DeadLetterQueue
    brakes: Brakes
    retry: RetryPolicy
    progress: Progress
    applied: AppliedBatches = field(init=False)
    stands: dict[TopicPartition, int] = field(default_factory=dict)  # of the present assignment
    _letters_until: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.applied = AppliedBatches(self.labels)

    async def apply(self, batch: Batch[Event], consumer: AIOKafkaConsumer) -> None:
        """Apply one batch.

        1. One transaction: the events' effect, rows of dead letters, and the offsets after them.
           Before it commits the brake judges; a topic that it stops is left out, and the rest is
           done again.
        2. Dead letters, each acknowledged by the broker; then where they lie, into their rows.
        3. Only then the offsets, to Kafka.

        A crash after 1 or 2 leaves Kafka's offset behind: the batch comes again, the history makes
        its events duplicates, and its dead letters are sent a second time.

        Raises ConsumerStopped, or another error that no repetition can mend.
        """
        about: Attributes = {"consumer": self.subscription.name, "lane": self.lane}
        with span("batch", Kind.CONSUMER, links=batch.contexts, attributes=about) as spanned:
            await self._apply(batch, consumer, spanned)

    async def _apply(self, batch: Batch[Event], consumer: AIOKafkaConsumer, spanned: Span) -> None:
        started, numbers = time.monotonic(), self.progress.numbers
        with numbers.step(Step.TRANSACTION):
            batch, outcome = await self._handle(batch)
        if not batch.chunks:
            return
        letters: Sequence[DeadLetter] = batch.letters
        if outcome.refusals or letters:
            with numbers.step(Step.DEAD_LETTERS):
                letters = await self._publish(letters, outcome.refusals)
        with numbers.step(Step.COMMIT):
            if await self._commit(batch, consumer):
                self._note_committed(batch)
        for topic, verdicts in batch.verdicts().items():
            refused = _new_refusals(batch, outcome.refusals)[topic]
            self.brakes.of(topic).observe(verdicts + bytes([BAD]) * refused)
        if outcome.decoded_differently and not self.progress.decoded_differently:
            log.warning(DIFFERENTLY, extra=self.labels)  # once
        self.progress.count(len(batch), outcome, letters)
        if len(batch):
            numbers.note_batch(len(batch), batch.collected, batch.oldest)
            counts = self._counts(batch, outcome, letters)
            spanned.note(counts)
            self._log(batch, counts, time.monotonic() - started)

    async def _publish(
        self, letters: Sequence[DeadLetter], refusals: Sequence[Refusal]
    ) -> Sequence[DeadLetter]:
        """Send the batch's dead letters and those of its refusals; all of them are returned."""
        if refusals:
            with resting():
                refused = await self._keep_trying(
                    lambda: self._letters_of(refusals), "reading refused messages again"
                )
            letters = [*letters, *refused]
        if letters:
            with resting():
                copied = await self._keep_trying(
                    lambda: self.dead_letter_queue.publish(letters, self.group),
                    "publishing dead letters",
                )
            await self._keep_trying(
                lambda: store_copies(self.database, copied), "noting where dead letters lie"
            )
        return letters

    async def _handle(self, batch: Batch[Event]) -> tuple[Batch[Event], Outcome]:
        """The batch less the topics that the brake has stopped, and what became of it."""
        while True:
            batch = batch.without(self.brakes.stopped)
            if not batch.chunks:
                return batch, Outcome()
            try:
                return batch, await self._handle_all_of(batch)
            except MassDeadLettering as flood:
                self.brakes.stopped[flood.topic] = str(flood)

    async def _handle_all_of(self, batch: Batch[Event]) -> Outcome:
        events, verdicts, after = batch.events, batch.verdicts(), batch.begins_after
        new = batch.new
        offsets = [
            NextOffset(self.group, at.topic, at.partition, offset, after[at], at in new)
            for at, offset in batch.next_offsets.items()
        ]

        await self._look_for_letters(batch)
        dead = [letter_of(letter, self.group) for letter in batch.letters]
        letters = BatchLetters(dead, batch.copies, batch.read, self._letters_until)

        def judge(refusals: Sequence[Refusal]) -> Sequence[Letter]:
            refused = _new_refusals(batch, refusals)
            for topic, bad in verdicts.items():
                self.brakes.of(topic).check(topic, bad + bytes([BAD]) * refused[topic])
            return [self._letter_of(refusal, letters) for refusal in refusals]

        judge(())
        return await self._keep_trying(
            lambda: self.subscription.handle(self.database, events, offsets, judge, letters),
            "applying a batch",
        )

    async def _look_for_letters(self, batch: Batch[Event]) -> None:
        """Up to where a partition may have letters of messages that are about to be read again; to
        be asked when reading begins there, and not with each batch."""
        begun = [tuple(at) for at in batch.begun]
        if begun:
            self._letters_until |= dict.fromkeys(begun, -1) | await self._keep_trying(
                lambda: highest_unresolved(self.database, begun), "looking for dead letters"
            )

    def _letter_of(self, refusal: Refusal, letters: BatchLetters) -> Letter:
        copied = letters.copies.get(refusal.place)
        return Letter(
            copied or letters.id_at(refusal.place) or LetterId.of(*refusal.place, -1),
            refusal.reason.value,
            refusal.detail,
            self.group,
            provider_id=refusal.provider_id,
            claim_id=refusal.claim_id,
            is_copy=copied is not None,
        )

    async def _letters_of(self, refusals: Sequence[Refusal]) -> list[DeadLetter]:
        places = [(TopicPartition(r.topic, r.partition), r.offset) for r in refusals]
        records = await read_again(self.dead_letter_queue.connection, places)
        for partition, offset in places:
            if (partition, offset) not in records:
                log.error(
                    "a refused message could not be dead-lettered: the broker has removed it",
                    extra={"partition": f"{partition.topic}-{partition.partition}"}
                    | {"offset": offset},
                )
        return [
            DeadLetter(refusal.reason, refusal.detail, records[place])
            for refusal, place in zip(refusals, places, strict=True)
            if place in records
        ]

    async def _commit(self, batch: Batch[Event], consumer: AIOKafkaConsumer) -> bool:
        """False if the partitions have gone to another member."""
        offsets = {at: OffsetAndMetadata(offset, "") for at, offset in batch.next_offsets.items()}

        async def commit() -> None:
            try:
                async with asyncio.timeout(COMMIT_SECONDS):
                    await consumer.commit(offsets)
            except TimeoutError:
                await reachable(self.dead_letter_queue.connection)  # which may raise the reason
                raise KafkaTimeoutError from None

        try:
            await self._keep_trying(commit, "committing offsets")
        except (CommitFailedError, IllegalStateError):
            # The partitions are another member's now. It reads this batch again, which is harmless.
            log.info("offsets not committed: the group has rebalanced", extra=self.labels)
            return False
        return True

    async def _keep_trying(self, work: Callable[[], Awaitable[Result]], doing: str) -> Result:
        return await until_it_succeeds(work, f"{doing} of {self.subscription.name}", self.retry)

    async def look_whether_behind(self) -> None:
        """Raises DatabaseBehind if the database has lost what was applied, as the next batch would
        find; but there may be none for long. One that is away is told of by those who need it."""
        expected = dict(self.stands)
        try:
            stored = await stored_offsets(self.database, self.group) if expected else {}
        except RepositoryError:
            return
        if any(stored.get((at.topic, at.partition), -1) < n for at, n in expected.items()):
            raise DatabaseBehind(LOST)

    def _note_committed(self, batch: Batch[Event]) -> None:
        self.stands |= batch.next_offsets
        self.progress.committed |= batch.next_offsets
        newest = batch.newest
        for partition, offset in batch.next_offsets.items():
            self.progress.lags.applied(partition, offset, newest.get(partition))

    def _counts(
        self, batch: Batch[Event], outcome: Outcome, letters: Sequence[DeadLetter]
    ) -> dict[str, int]:
        return {
            "messages": len(batch),
            "applied": outcome.applied,
            "stale": outcome.stale,
            "duplicate": outcome.duplicate,
            "erased": outcome.erased,
            "decoded_differently": outcome.decoded_differently,
            "dead_lettered": len(letters),
            "cache_rows": outcome.changed_rows,
        }

    def _log(self, batch: Batch[Event], counts: Mapping[str, int], seconds: float) -> None:
        offsets = {f"{at.topic}-{at.partition}": n for at, n in batch.next_offsets.items()}
        newest = max(batch.newest.values(), default=None)
        self.applied.add({**counts, "milliseconds": round(seconds * 1000, 1)}, offsets, newest)

    @property
    def labels(self) -> dict[str, object]:
        return {"consumer": self.subscription.name, "lane": self.lane}


def _new_refusals(batch: Batch[Any], refusals: Sequence[Refusal]) -> Counter[str]:
    """How many the brake is to know of, by topic: a copy of a dead letter that dies is no news."""
    copies = batch.copies if refusals else {}
    return Counter(refusal.topic for refusal in refusals if refusal.place not in copies)
