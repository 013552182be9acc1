"""One topic's consumer: group membership, and a task for each thing that goes on at once.

A reader per assigned partition fetches and decodes; one applier takes batches from the intake
between them. So while PostgreSQL works on one batch the next is fetched and decoded.
"""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Generic

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError

from consumers.batch_applier import BatchApplier
from consumers.batches import BatchPolicy, Event
from consumers.connection import KafkaConnection
from consumers.errors import ConsumerStopped, PartitionStopped
from consumers.handler import Subscription
from consumers.intake import Intake
from consumers.membership import GroupPolicy, leave, new_member
from consumers.partition_reader import PartitionReader
from consumers.progress import Progress
from consumers.retry import RetryPolicy, describe, is_transient, until_it_succeeds
from consumers.start_offsets import start_offset
from consumers.waiting import set_within
from repositories.database import Database
from repositories.errors import DatabaseBehind

log = logging.getLogger(__name__)

TOPIC_SECONDS, TOPIC_PAUSE_SECONDS = 5.0, 0.5
NO_PARTITION = TopicPartition("", 0)
BREAK_OFF_SECONDS = 3


@dataclass(frozen=True)
class ConsumerParts(Generic[Event]):
    """What a consumer is made of; `service.wiring` puts it together."""

    subscription: Subscription[Event]
    topic: str
    group: str
    connection: KafkaConnection
    database: Database
    applier: BatchApplier[Event]
    progress: Progress
    batch_policy: BatchPolicy
    group_policy: GroupPolicy
    retry: RetryPolicy


class TopicConsumer(ConsumerRebalanceListener, Generic[Event]):  # type: ignore[misc]  # untyped base
    """Consumes one topic until told to stop."""

    def __init__(self, parts: ConsumerParts[Event]) -> None:
        self._parts = parts
        self._intake: Intake[Event] = Intake(parts.batch_policy)
        self._consumer: AIOKafkaConsumer = None
        self._readers: set[asyncio.Task[None]] = set()
        self._applying: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._failure: asyncio.Future[None]

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; then finish the batch at hand, commit it, leave the group.

        Raises ConsumerStopped, or another error after which this consumer cannot go on.
        """
        attempt = 0
        while not stop.is_set():
            try:
                await self._consume(stop)
            except (KafkaError, DatabaseBehind) as error:
                attempt += 1
                self._check_worth_repeating(error)
                await set_within(stop, self._parts.retry.pause(attempt))

    async def _consume(self, stop: asyncio.Event) -> None:
        """With one client, until `stop` is set or something fails."""
        parts = self._parts
        self._failure = asyncio.get_running_loop().create_future()
        self._consumer = new_member(parts.connection, parts.group, parts.group_policy)
        self._start_applying()
        membership = self._watched(self._take_part())
        try:
            await self._stopped_or_failed(stop)
        finally:
            self._failure.cancel()
            await _cancelled({membership})
            await self._shut_down()

    async def _take_part(self) -> None:
        """Join the group; then look out for errors of the client's own tasks.

        The client tells them only to those who fetch, and a member may have no partition.
        """
        topic, consumer = self._parts.topic, self._consumer
        await until_it_succeeds(consumer.start, "connecting to Kafka", self._parts.retry)
        await self._wait_for_topic()
        consumer.subscribe([topic], listener=self)
        while True:
            await consumer.getmany(NO_PARTITION, timeout_ms=1_000)

    async def _wait_for_topic(self) -> None:
        """A topic that was created a moment ago is not listed at once."""
        topic, waited = self._parts.topic, 0.0
        while topic not in await self._consumer.topics():
            if waited >= TOPIC_SECONDS:
                raise ConsumerStopped(
                    f"there is no topic {topic}: run `claim-analytics topics` to create what is"
                    " missing"
                )
            waited += TOPIC_PAUSE_SECONDS
            await asyncio.sleep(TOPIC_PAUSE_SECONDS)

    def _check_worth_repeating(self, error: KafkaError | DatabaseBehind) -> None:
        """Whether a new client helps: it starts reading from where the database stands.

        A bare KafkaError is the client's word for what it did not expect, of the broker or of
        itself; it can be without its tasks then.
        """
        name = self._parts.subscription.name
        final = not isinstance(error, DatabaseBehind) and type(error) is not KafkaError
        if final and not is_transient(error):
            raise ConsumerStopped(
                f"Kafka does not let the consumer of {name} go on ({type(error).__name__}): look at"
                f" the permissions and the settings of the group {self._parts.group}"
            ) from None
        log.warning("joining the group anew: %s", describe(error), extra={"consumer": name})

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called by the client after each rebalance; must not wait, must not raise."""
        for partition in assigned:
            self._readers.add(self._watched(self._read(partition)))
        self._log("partitions assigned", assigned)

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called by the client before a rebalance: finish the batch at hand, drop the rest.

        The client's rebalances are eager: all partitions are revoked, and some assigned again.
        """
        await self._stop_reading()
        if not await self._finished(within=self._parts.group_policy.rebalance * 0.8):
            # The database may be away. Whoever has the partitions next reads the batch again.
            await self._stop_applying()
            self._start_applying()
        self._log("partitions revoked", revoked)

    async def _read(self, partition: TopicPartition) -> None:
        parts, consumer = self._parts, self._consumer
        reader = PartitionReader(consumer, partition, parts.subscription.decode, self._intake)

        async def where() -> int:
            return await start_offset(consumer, parts.database, parts.group, partition)

        try:
            start = await until_it_succeeds(
                where, f"finding where to start in {partition.topic}", parts.retry
            )
            parts.progress.stopped.pop(partition.partition, None)
            await reader.run(start)
        except PartitionStopped as stopped:
            parts.progress.stopped[partition.partition] = str(stopped)
            log.error("%s", stopped, extra={"consumer": parts.subscription.name})
        except (IllegalStateError, ConsumerStoppedError):
            return  # the partition was revoked, or the client closed, a moment ago

    async def _apply_batches(self) -> None:
        while True:
            batch = await self._intake.take()
            self._idle.clear()
            try:
                await self._parts.applier.apply(batch, self._consumer)
            finally:
                self._idle.set()

    async def _stopped_or_failed(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        try:
            either: set[asyncio.Future[Any]] = {stopping, self._failure}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        if self._failure.done():
            self._failure.result()

    async def _shut_down(self) -> None:
        await self._stop_reading()
        await self._finished(within=self._parts.group_policy.shutdown)
        await self._stop_applying()
        if not await leave(self._consumer):
            log.warning("left without a word to Kafka, which misses this member soon")

    async def _finished(self, within: float) -> bool:
        """Whether the batch at hand was finished `within` so many seconds."""
        try:
            async with asyncio.timeout(within):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def _stop_reading(self) -> None:
        """Readers end at once: what they hold is dropped, and read again by the next owner."""
        readers, self._readers = self._readers, set()
        await _cancelled(readers)
        await self._intake.clear()

    def _start_applying(self) -> None:
        self._applying = self._watched(self._apply_batches())

    async def _stop_applying(self) -> None:
        """Break off the batch at hand; a database that hangs keeps nobody from leaving it there."""
        if self._applying:
            self._applying.cancel()
            await asyncio.wait({self._applying}, timeout=BREAK_OFF_SECONDS)

    def _watched(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose error fails the whole consumer."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._fail_with)
        return task

    def _fail_with(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self._failure.done():
            self._failure.set_exception(error)

    def _log(self, what: str, partitions: Iterable[TopicPartition]) -> None:
        numbers = sorted(partition.partition for partition in partitions)
        if numbers:
            name = self._parts.subscription.name
            log.info(what, extra={"consumer": name, "partitions": numbers})


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
