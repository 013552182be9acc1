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
from aiokafka.errors import ConsumerStoppedError, IllegalStateError

from consumers.batch_applier import BatchApplier
from consumers.batches import BatchPolicy, Event
from consumers.connection import KafkaConnection
from consumers.errors import PartitionStopped
from consumers.handler import Subscription
from consumers.intake import Intake
from consumers.partition_reader import PartitionReader
from consumers.progress import Progress
from consumers.retry import RetryPolicy, until_it_succeeds
from consumers.start_offsets import start_offset
from repositories.database import Database

log = logging.getLogger(__name__)

NEVER_MS = 2**31 - 1
# A fetch this large, and no larger for all partitions together, holds mostly one partition's
# messages in a backlog: so a batch has few providers, and their events fall on the same rows.
FETCH_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class GroupPolicy:
    """Membership of a consumer group, in seconds.

    A member that dies is missed after `session`; one that is alive may take up to `rebalance` to
    finish its batch when partitions move, and up to `shutdown` when it is told to stop.
    """

    session: float = 10.0
    rebalance: float = 60.0
    shutdown: float = 20.0


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
        self._failure = asyncio.get_running_loop().create_future()
        self._consumer = self._client()
        try:
            await until_it_succeeds(self._consumer.start, "connecting to Kafka", self._parts.retry)
            self._consumer.subscribe([self._parts.topic], listener=self)
            self._start_applying()
            await self._stopped_or_failed(stop)
        finally:
            await self._shut_down()

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
        await self._consumer.stop()

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
        if self._applying:
            await _cancelled({self._applying})

    def _watched(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task whose error fails the whole consumer."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._fail_with)
        return task

    def _fail_with(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self._failure.done():
            self._failure.set_exception(error)

    def _client(self) -> AIOKafkaConsumer:
        parts = self._parts
        return AIOKafkaConsumer(
            **parts.connection.client_options(),
            group_id=parts.group,
            enable_auto_commit=False,
            auto_offset_reset="none",  # a lost offset is never jumped over in silence
            isolation_level="read_committed",
            session_timeout_ms=int(parts.group_policy.session * 1000),
            heartbeat_interval_ms=int(parts.group_policy.session * 1000 / 3),
            rebalance_timeout_ms=int(parts.group_policy.rebalance * 1000),
            # While the database is away nothing is polled, and the member must stay all the same.
            max_poll_interval_ms=NEVER_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=FETCH_BYTES,
        )

    def _log(self, what: str, partitions: Iterable[TopicPartition]) -> None:
        numbers = sorted(partition.partition for partition in partitions)
        log.info(what, extra={"consumer": self._parts.subscription.name, "partitions": numbers})


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
