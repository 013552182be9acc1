"""A lane: one member of a consumer group, with a reader and an applier of its own.

While PostgreSQL works on one batch of a lane its next is fetched and decoded. A process has a few
lanes for claims. The group's Range assignor gives a member the same partition numbers of every
topic; as topics are keyed by provider and have equal partition counts, lanes have different
providers, and none waits for another's locks. No result depends on that.
"""

import asyncio
import logging
from collections.abc import Collection, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError

from consumers.engine.applier import Applier
from consumers.engine.errors import ConsumerStopped
from consumers.engine.group import GroupPolicy, leave, new_member
from consumers.engine.intake import BatchPolicy, Intake
from consumers.engine.offsets import FormerGroups, Starts, start_offsets
from consumers.engine.orders import Orders
from consumers.engine.reader import Reader
from consumers.engine.retry import (
    RetryPolicy,
    describe,
    is_transient,
    remedy,
    set_within,
    until_it_succeeds,
)
from consumers.engine.subscription import Decode, Event
from consumers.kafka.connection import KafkaConnection
from consumers.kafka.stops import name_of
from consumers.kafka.topics import TopicWatch, missing_permission, topics_of
from consumers.supervision.outage import Outage
from consumers.supervision.pulse import current_pulse, working
from consumers.telemetry.retries import count_retry
from repositories.errors import DatabaseBehind
from repositories.offsets import forget_offsets

log = logging.getLogger(__name__)

TOPIC_SECONDS, TOPIC_PAUSE_SECONDS = 5.0, 0.5  # a topic made a moment ago is not listed at once
TOPIC_CHECK_SECONDS = 5.0  # and so is a fault named that the client meets without a word
CHECKS_A_COMPLAINT, CHECKS_A_LOOK = 12, 3
BREAK_OFF_SECONDS = 3


@dataclass(frozen=True)
class LaneParts(Generic[Event]):
    """What a lane is made of; `service.wiring` puts it together."""

    decoders: Mapping[str, Decode[Event]]  # by topic
    connection: KafkaConnection
    applier: Applier[Event]
    batch_policy: BatchPolicy
    group_policy: GroupPolicy
    retry: RetryPolicy
    orders: Orders
    former_groups: FormerGroups | None = None


class Lane(ConsumerRebalanceListener, Generic[Event]):  # type: ignore[misc]  # untyped base
    """Consumes its share of some topics until told to stop."""

    def __init__(self, parts: LaneParts[Event]) -> None:
        self._parts = parts
        self._applier = parts.applier
        self._progress = parts.applier.progress
        self._labels = parts.applier.labels
        self._intake: Intake[Event] = Intake(parts.batch_policy)
        self._consumer: AIOKafkaConsumer = None
        self._reading: asyncio.Task[None] | None = None
        self._applying: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._watch = TopicWatch(self._labels, tells=parts.applier.lane == 0)
        self._membership_outage = Outage(f"being in the group {parts.applier.group}")
        self._reading_outage = Outage("reading from Kafka")
        self._failure: asyncio.Future[None]

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop` is set; then finish the batch at hand, commit it, leave the group.

        Raises ConsumerStopped, or another error after which this consumer cannot go on.
        """
        attempt, self._pulse = 0, current_pulse()
        while not stop.is_set():
            try:
                await self._consume(stop)
            except (KafkaError, DatabaseBehind) as error:
                attempt += 1
                self._check_worth_repeating(error)
                await set_within(stop, self._parts.retry.pause(attempt))

    async def _consume(self, stop: asyncio.Event) -> None:
        """With one client, until `stop` is set or something fails."""
        self._failure = asyncio.get_running_loop().create_future()
        self._consumer = None
        self._start_applying()
        membership = self._watched(self._take_part(), "membership")
        stopping = asyncio.create_task(stop.wait())
        try:
            either: set[asyncio.Future[Any]] = {stopping, self._failure}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if self._failure.done():
                self._failure.result()
        finally:
            stopping.cancel()
            self._failure.cancel()
            await _cancelled({membership})
            await self._stop_reading()
            await self._finished(within=self._parts.group_policy.shutdown)
            await self._stop_applying()
            self._applier.applied.flush()
            if self._consumer and not await leave(self._consumer):
                log.warning("left without a word to Kafka, which misses this member soon")
            await self._stop_reading()  # a rebalance may have begun to read again meanwhile

    async def _take_part(self) -> None:
        """Join the group; then look out for topics that are missing, and join those that appear."""
        parts, group = self._parts, self._applier.group
        self._consumer = await until_it_succeeds(
            lambda: new_member(parts.connection, group, parts.group_policy),
            "connecting to Kafka",
            parts.retry,
        )
        await self._forget_former_topics()
        wanted = set(parts.decoders)
        subscribed: set[str] = set()
        waited, checks = 0.0, 0
        while True:
            topics = await until_it_succeeds(
                lambda: topics_of(self._consumer, parts.connection, wanted),
                "asking Kafka for its topics",
                parts.retry,
            )
            present = set(topics.present)
            if present < wanted and not subscribed and waited < TOPIC_SECONDS:
                waited += TOPIC_PAUSE_SECONDS
                await asyncio.sleep(TOPIC_PAUSE_SECONDS)  # nothing tells when it is listed
                continue
            self._progress.without_topic = not (present or subscribed)
            if self._progress.without_topic and not self._applier.subscription.optional:
                raise ConsumerStopped(topics.complaint())
            self._watch.look_at(topics.present)
            if present - subscribed:
                subscribed |= present
                self._consumer.subscribe(sorted(subscribed), listener=self)
                if not self._reading:
                    self._read([])  # the client tells its errors to those who read alone
            if checks % CHECKS_A_COMPLAINT == 0:
                self._complain(wanted - present, topics.complaint())
            checks += 1
            if checks % CHECKS_A_LOOK == 0:
                await self._applier.look_whether_behind()
            await asyncio.sleep(TOPIC_CHECK_SECONDS)  # nothing tells of topics that come and go

    def _complain(self, missing: set[str], why: str) -> None:
        self._progress.missing = missing
        if missing and self._applier.lane == 0:
            log.log(
                logging.WARNING if self._applier.subscription.optional else logging.ERROR,
                "not read: %s (%s); it is read as soon as it appears",
                ", ".join(sorted(missing)), why,
                extra=self._labels,
            )  # fmt: skip

    async def _forget_former_topics(self) -> None:
        """Their offsets say nothing of the new ones. Other members that go on from them find that
        the database has none, and start from the beginning too."""
        database, group = self._applier.database, self._applier.group
        await until_it_succeeds(
            lambda: forget_offsets(database, group, self._watch.created_anew),
            "forgetting the offsets of a former topic",
            self._parts.retry,
        )
        self._watch.created_anew.clear()

    def _check_worth_repeating(self, error: KafkaError | DatabaseBehind) -> None:
        """Whether a new client helps: it starts reading from where the database stands.

        A bare KafkaError is for what the client did not expect; it can be without its tasks then.
        """
        final = not isinstance(error, DatabaseBehind) and type(error) is not KafkaError
        if final and not is_transient(error):
            why = (
                missing_permission(error)
                or f"look at the settings of the group {self._applier.group}"
            )
            raise ConsumerStopped(
                f"Kafka does not let the consumer of {self._labels['consumer']} go on"
                f" ({type(error).__name__}): {why}"
            ) from None
        count_retry(error)
        what = f"joining the group anew: {describe(error)}"
        self._membership_outage.tell(what, remedy(error), extra=self._labels)

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Called by the client after each rebalance; must not wait, must not raise."""
        partitions = sorted(assigned)
        self._progress.joined.add(self._applier.lane)
        self._progress.assigned |= set(partitions)
        self._read(partitions)
        self._log("partitions assigned", partitions)
        self._membership_outage.over()
        if not partitions:
            log.info(
                "lane %d has no partitions: the group has more members than there are partitions to"
                " share; it stands by", self._applier.lane, extra=self._labels,
            )  # fmt: skip

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Called by the client before a rebalance: finish the batch at hand, drop the rest.

        The client's rebalances are eager: all partitions are revoked, and some assigned again.
        """
        await self._stop_reading()
        if not await self._finished(within=self._parts.group_policy.rebalance * 0.8):
            # The database may be away. Whoever has the partitions next reads the batch again.
            await self._stop_applying()
            self._start_applying()
        self._progress.assigned -= set(revoked)
        self._read([])  # so that somebody hears it if the group refuses this member
        if self._applier.lane in self._progress.joined:
            self._log("partitions revoked", revoked)

    def _read(self, partitions: Collection[TopicPartition]) -> None:
        if self._reading:
            self._reading.cancel()  # it had none
        parts, applier, consumer = self._parts, self._applier, self._consumer
        applier.stands.clear()
        reader = Reader(
            consumer, parts.decoders, self._intake, applier.brakes, applier.progress,
            self._reading_outage, parts.orders,
        )  # fmt: skip
        assigned = list(partitions)

        async def starts() -> Starts:
            await parts.orders.known.wait()
            return await until_it_succeeds(
                lambda: start_offsets(
                    consumer, applier.database, applier.group, assigned, parts.former_groups
                ),
                f"finding where {applier.group} starts",
                parts.retry,
            )

        self._reading = self._watched(reader.run(assigned, starts), "reading")

    async def _stop_reading(self) -> None:
        """At once: what the reader holds is dropped, and read again by the next owner."""
        if self._reading:
            await _cancelled({self._reading})
            self._reading = None
        await self._intake.clear()

    async def _apply_batches(self) -> None:
        while True:
            batch = await self._intake.take()
            self._idle.clear()
            try:
                with working("applying a batch"):
                    await self._applier.apply(batch, self._consumer)
            finally:
                self._idle.set()

    def _start_applying(self) -> None:
        self._applying = self._watched(self._apply_batches(), "applying")

    async def _stop_applying(self) -> None:
        """Break off the batch at hand; a database that hangs keeps nobody from leaving it there."""
        if self._applying:
            self._applying.cancel()
            await asyncio.wait({self._applying}, timeout=BREAK_OFF_SECONDS)

    async def _finished(self, within: float) -> bool:
        """Whether the batch at hand was finished `within` so many seconds."""
        return await set_within(self._idle, within)

    def _watched(self, work: Coroutine[Any, Any, None], what: str) -> asyncio.Task[None]:
        """A task whose error fails the whole lane, and whose pulse is a part of the lane's."""
        task = self._pulse.part(what).task(work)
        task.add_done_callback(self._fail_with)
        return task

    def _fail_with(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and not self._failure.done():
            self._failure.set_exception(error)

    def _log(self, what: str, partitions: Iterable[TopicPartition]) -> None:
        log.info(what, extra=self._labels | {"partitions": [*map(name_of, sorted(partitions))]})


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
