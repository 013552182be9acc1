"""Reading a lane's partitions: where to start, in which order, what to hand on, when to stop.

One reader for all of them, so that what the client has inflated of one partition is read to its
end before the next is begun, and memory does not grow with the number of partitions.
"""

import asyncio
import logging
import time
from array import array
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, cast

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
)

from consumers.contracts.letters import REDRIVE_OF, redrive_of
from consumers.contracts.refusal import DeadLetter, Record
from consumers.engine.brake import Brakes
from consumers.engine.dead_letters import bytes_of
from consumers.engine.intake import Chunk, Intake
from consumers.engine.offsets import Starts
from consumers.engine.orders import Orders
from consumers.engine.retry import LOOK_AT_KAFKA, is_transient, tell_failure
from consumers.engine.subscription import Decode, Event, Progress
from consumers.kafka.stops import Stop, is_of_a_record, name_of, stop_over
from consumers.supervision.outage import LONG_SECONDS, Outage
from consumers.supervision.pulse import beat, resting, working
from consumers.telemetry.lag import keep_ends_known
from consumers.telemetry.trace_context import linked_contexts
from repositories.vocabulary import StopCause

log = logging.getLogger(__name__)

CHUNK = 200  # records decoded at a time: some milliseconds, so that heartbeats get their turn
CHUNK_BYTES = 1024 * 1024  # of records that are large, fewer are asked for
WAIT_MS = 200
BEHIND = 1_000  # messages; a partition number with more of them is read in turns
PAUSE_SECONDS = 0.5  # after an error
SINGLY_SECONDS = 30.0  # how long the client is asked for each partition alone after an error
SILENCE_SECONDS = 5  # without an answer, before it is worth a line in the log
NO_PARTITION = TopicPartition("", 0)


@dataclass
class Position:
    """Where a partition is read. `last` is what the next chunk has as `after`."""

    next: int
    last: int | None = None
    begins: bool = True
    is_new: bool = False


@dataclass
class Reader(Generic[Event]):
    """Hands the records of some partitions, decoded, to the intake."""

    consumer: AIOKafkaConsumer
    decoders: Mapping[str, Decode[Event]]  # by topic
    intake: Intake[Event]
    brakes: Brakes
    progress: Progress
    outage: Outage = field(default_factory=lambda: Outage("reading from Kafka"))
    orders: Orders = field(default_factory=Orders)
    _open: dict[TopicPartition, Position] = field(default_factory=dict)
    _paused: dict[TopicPartition, Position] = field(default_factory=dict)  # by an operator
    _stopped: set[TopicPartition] = field(default_factory=set)
    _turn: int | None = None  # the partition number that is read while others wait
    _left_in_turn: int = 0
    _singly_until: float = 0.0
    _record_bytes: float = CHUNK_BYTES / 8  # mean of those that were read last
    _answers: list[int | None] = field(default_factory=list)
    _silence: float = 0.0  # seconds in which it asked, and nothing came
    _told_next: float = 0.0  # after how many of them the next line is due

    async def run(
        self, assigned: Sequence[TopicPartition], starts: Callable[[], Awaitable[Starts]]
    ) -> None:
        """Read until cancelled. `starts` says where; an error of this consumer is raised."""
        looking = asyncio.create_task(keep_ends_known(self.consumer, self.progress.lags))
        try:
            for partition, start in (await starts()).items() if assigned else ():
                self.progress.begin(partition, start.offset)
                self.consumer.seek(partition, start.offset)
                self._open[partition] = Position(start.offset, start.offset, is_new=start.is_new)
                # Even an empty partition gets its offset committed: a drain sees that it is done.
                await self._hand_on(partition, [])
            with working("reading"):
                while True:
                    beat()
                    await self._obey()
                    self._stop_topics()
                    singly = time.monotonic() < self._singly_until
                    await (self._read_singly() if singly else self._read(self._whose_turn_it_is()))
        except (IllegalStateError, ConsumerStoppedError):
            return  # the partitions were revoked, or the client was closed, a moment ago
        finally:
            looking.cancel()

    async def _read(self, partitions: Sequence[TopicPartition]) -> None:
        # Without any the client is asked all the same: it tells its errors to nobody else.
        most = max(1, min(CHUNK, int(CHUNK_BYTES / self._record_bytes)))
        asked = time.monotonic()
        fetched = await self._ask(partitions or [NO_PARTITION], WAIT_MS, most)
        if isinstance(fetched, Exception):
            # Of which partition is not said. And what the call had taken from others before is lost
            # to us, though their positions have moved: back to what was handed on.
            self._end_turn()
            for partition, state in self._open.items():
                self.consumer.seek(partition, state.next)
            self._singly_until = time.monotonic() + SINGLY_SECONDS
            return
        for partition, records in fetched.items():
            self._record_bytes = sum(map(bytes_of, records[:most:10])) / len(records[:most:10]) + 1
            await self._hand_on(partition, records)
            self._left_in_turn -= len(records)
        if not fetched:
            await self._go_on_past_gaps(partitions)
        self._look_out_for_silence(0.0 if fetched else time.monotonic() - asked)
        await asyncio.sleep(0)  # the others get their turn, also in a backlog

    async def _read_singly(self) -> None:
        """A record of each partition, so that an error is that of the record that stands next."""
        found, self.intake.behind = 0, False
        for partition in list(self._open):
            fetched = await self._ask([partition], 0, 1)
            if isinstance(fetched, Exception):
                self._stop(partition, stop_over(partition, self._open[partition].next, fetched))
                continue
            for at, records in fetched.items():
                found += len(records)
                await self._hand_on(at, records)
        if not found:
            await self._go_on_past_gaps(list(self._open))
            await asyncio.sleep(0.01)  # nothing was there: no busy loop

    async def _ask(
        self, partitions: Sequence[TopicPartition], wait_ms: int, most: int
    ) -> Mapping[TopicPartition, Sequence[Record]] | Exception:
        """Records, or an error over one partition; an error of the whole client is raised."""
        try:
            fetched = await self.consumer.getmany(*partitions, timeout_ms=wait_ms, max_records=most)
        except NoOffsetForPartitionError:
            return {}  # of a partition that was assigned a moment ago: it was sought since
        except (IllegalStateError, ConsumerStoppedError):
            raise
        except KafkaError as error:
            if is_of_a_record(error):
                return cast("Exception", error)
            if not is_transient(error):
                raise
            tell_failure(self.outage, error)
            await asyncio.sleep(PAUSE_SECONDS)  # before the next attempt
            return {}
        except Exception as error:  # noqa: BLE001  # a codec may raise anything over broken bytes
            if is_of_a_record(error):
                return error
            log.warning("the Kafka client failed while reading (%s)", type(error).__name__)
            raise KafkaError from None  # the lane makes a new one
        return cast("Mapping[TopicPartition, Sequence[Record]]", fetched)

    async def _go_on_past_gaps(self, partitions: Sequence[TopicPartition]) -> None:
        """Control records of transactions, and what compaction removed, move the position alone."""
        for partition in partitions:
            if await self.consumer.position(partition) != self._open[partition].next:
                await self._hand_on(partition, [])

    async def _hand_on(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        decode = self.decoders[partition.topic]
        self.progress.lags.read(partition, *(record.timestamp for record in records[:1]))
        events: list[Event] = []
        letters: list[DeadLetter] = []
        verdicts = bytearray(len(records))
        size = 0
        for at, record in enumerate(records):
            decoded = decode(record)
            if isinstance(decoded, DeadLetter):
                letters.append(decoded)
                verdicts[at] = redrive_of(record) is None  # a copy that dies is no news
                size += bytes_of(record)
            else:
                events.append(decoded)
                size += len(decoded) + 50 if isinstance(decoded, bytes) else bytes_of(record)
        position, state = await self.consumer.position(partition), self._open[partition]
        marked = [r for r in records if r.headers and r.headers[-1][0] == REDRIVE_OF]
        chunk = Chunk(
            partition, state.last, position, events, letters, bytes(verdicts), size,
            array("q", [record.offset for record in records]),
            array("q", [record.timestamp for record in records]),
            {record.offset: copied for record in marked if (copied := redrive_of(record))},
            linked_contexts(records), state.begins, state.is_new,
        )  # fmt: skip
        state.last, state.next, state.begins, state.is_new = position, position, False, False
        with resting():  # the applier may wait for the database
            await self.intake.put(chunk)

    def _whose_turn_it_is(self) -> list[TopicPartition]:
        """All partitions; of those that are far behind, those of one number after the other.

        Topics are keyed by provider and have equal partition counts, so what belongs to the same
        providers is in the partitions of one number: read together they meet in a batch, which
        then touches few rows, each once. A turn ends after a batch's worth. The partitions that
        wait are paused, so that the client holds nothing of them.
        """
        behind = sorted({at.partition for at in self._open if self._lag(at) > BEHIND})
        self.intake.behind = bool(behind)
        if len(behind) < 2:
            self._end_turn()
            return list(self._open)
        if self._turn not in behind or self._left_in_turn <= 0:
            after = -1 if self._turn is None else self._turn
            self._end_turn()
            self._turn = next((number for number in behind if number > after), behind[0])
            self._left_in_turn = self.intake.policy.max_events
        waiting = [at for at in self._open if at.partition in behind and at.partition != self._turn]
        self.consumer.pause(*waiting)
        return [at for at in self._open if at not in waiting]

    def _end_turn(self) -> None:
        if self._turn is None:
            return
        for at, state in self._open.items():
            if at.partition == self._turn:
                self.consumer.seek(at, state.next)  # drops what the client holds of it
        self.consumer.resume(*self._open)
        self._turn = None

    def _lag(self, partition: TopicPartition) -> int:
        """In messages, by the broker's last answer; not by the high watermark, since what an open
        transaction holds back cannot be read."""
        if partition not in self.consumer.assignment():
            return 0  # revoked a moment ago, as the next call says
        end = self.consumer.last_stable_offset(partition)
        return 0 if end is None else int(end) - self._open[partition].next

    async def _obey(self) -> None:
        """Do what operators have ordered: go on past a record, leave paused topics out."""
        orders = self.orders
        for at in [at for at in self._stopped if at in orders.skips]:
            stands_at, go_on_at = orders.skips.pop(at)
            if self.progress.stopped[at].next == stands_at:
                log.warning(
                    "%s goes on at offset %d, as an operator ordered: it stood at %d",
                    name_of(at), go_on_at, stands_at, extra={"partition": name_of(at)},
                )  # fmt: skip
                del self.progress.stopped[at]
                self._stopped.remove(at)
                self._read_on(at, Position(go_on_at))
                # An empty chunk: both offsets move as they do after a batch, in the same order.
                await self._hand_on(at, [])
        for at in [at for at in self._open if orders.pauses(at.topic)]:
            self.consumer.pause(at)  # the client drops what it holds of it
            self._paused[at] = self._open.pop(at)
        for at in [at for at in self._paused if not orders.pauses(at.topic)]:
            self._read_on(at, self._paused.pop(at))

    def _read_on(self, partition: TopicPartition, state: Position) -> None:
        self.consumer.seek(partition, state.next)
        self.consumer.resume(partition)
        self._open[partition] = state

    def _stop_topics(self) -> None:
        for at in [at for at in self._open if at.topic in self.brakes.stopped]:
            why = self.brakes.stopped[at.topic]
            self._stop(at, Stop(StopCause.BRAKE, self._open[at].next, why))

    def _stop(self, partition: TopicPartition, stop: Stop) -> None:
        del self._open[partition]
        self._stopped.add(partition)
        self.consumer.pause(partition)
        if self.progress.stopped.get(partition) != stop:
            self.progress.stopped[partition] = stop
            log.error("%s", stop.why, extra={"partition": name_of(partition)})

    def _look_out_for_silence(self, vain: float) -> None:
        """A line while the broker does not answer, since the client tries again without a word.

        `vain` is how long the reader has just asked for nothing, in seconds. Only that counts, and
        no more of it than the question was to take: neither a reader that waits for the database
        nor an event loop that is late is the broker's fault.
        """
        there = self.consumer.assignment()
        answers = [self.consumer.last_poll_timestamp(at) for at in self._open if at in there]
        if not vain or not answers or answers != self._answers:
            self._answers, self._silence, self._told_next = answers, 0.0, 0.0
            if answers:
                self.outage.over()
            return
        self._silence += min(vain, WAIT_MS / 1000)
        if self._silence >= max(SILENCE_SECONDS, self._told_next):
            self._told_next = self._silence + min(self._silence, LONG_SECONDS)
            what = f"no answer from Kafka for {self._silence:.0f} seconds"
            self.outage.tell(what, LOOK_AT_KAFKA, seconds=self._silence)
