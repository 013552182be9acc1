"""Reading one assigned partition: where to start, what to hand on, when to stop.

Each partition has a reader of its own, so one that cannot go on stops alone. It is also safer:
in a call for several partitions the client loses what it has taken from the others when it meets
an error in one.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Generic

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    UnsupportedCodecError,
)

from consumers.batches import Chunk, Event
from consumers.dead_letters import DeadLetter, Record
from consumers.errors import PartitionStopped
from consumers.intake import Intake
from consumers.retry import describe, is_transient

log = logging.getLogger(__name__)

CHUNK = 200  # records decoded at a time: some milliseconds, so that heartbeats get their turn
WAIT_MS = 1_000
MORE_MS = 100  # while others wait for their turn: longer than a fetch takes
PAUSE_AFTER_ERROR_SECONDS = 0.5
SILENCE_SECONDS = 5  # without an answer, before it is worth a line in the log

Decode = Callable[[Record], Event | DeadLetter]


class PartitionReader(Generic[Event]):
    """Hands the records of one partition, decoded, to the intake, from a given offset on."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        partition: TopicPartition,
        decode: Decode[Event],
        intake: Intake[Event],
    ) -> None:
        self._consumer = consumer
        self._partition = partition
        self._decode = decode
        self._intake = intake
        self._next = 0
        self._last: int | None = None  # next offset of what was handed on last
        self._one_by_one = 0  # how many records are still to be read singly
        self._answered = time.time()
        self._silence_told = 0.0  # seconds of it

    async def run(self, start: int) -> None:
        """Read from offset `start` until cancelled.

        Raises PartitionStopped if the partition cannot go on, and the client's own error if
        nothing of this consumer can.
        """
        self._next = start
        self._consumer.seek(self._partition, start)
        # Even an empty partition gets its offset committed: so a drain can see that it is done.
        await self._hand_on([], start)
        while True:
            records = await self._fetch(WAIT_MS)
            async with self._intake.turn:
                await self._take_turn(records)

    async def _take_turn(self, records: Sequence[Record]) -> None:
        """Hand on a batch's worth at most, and wait for no more than what the broker has."""
        handed_on = 0
        while await self._went_on(records):
            handed_on += len(records)
            if handed_on >= self._intake.events_a_turn:
                return
            records = await self._fetch(MORE_MS if self._is_behind else 0)

    async def _went_on(self, records: Sequence[Record]) -> bool:
        """Hand on what was fetched; False if that was nothing."""
        await asyncio.sleep(0)
        position = await self._consumer.position(self._partition)
        if not records and position == self._next:
            self._look_out_for_silence()
            return False
        await self._hand_on(records, position)
        return True

    @property
    def _is_behind(self) -> bool:
        """Whether the broker has more to give of this partition, as far as its last answer tells.

        Not by the high watermark: what an open transaction holds back is not to be had.
        """
        if self._partition not in self._consumer.assignment():
            return False  # revoked a moment ago, as the next fetch says
        end = self._consumer.last_stable_offset(self._partition)
        return end is not None and self._next < end

    async def _hand_on(self, records: Sequence[Record], position: int) -> None:
        decoded = [self._decode(record) for record in records]
        size = sum(len(record.value or b"") for record in records)
        after, self._last, self._next = self._last, position, position
        await self._intake.put(Chunk(self._partition, after, records, decoded, position, size))

    async def _fetch(self, wait_ms: int) -> Sequence[Record]:
        most = 1 if self._one_by_one else CHUNK
        try:
            fetched = await self._consumer.getmany(
                self._partition, timeout_ms=wait_ms, max_records=most
            )
        except OffsetOutOfRangeError:
            raise self._lost() from None
        except (CorruptRecordException, RecordTooLargeError, UnsupportedCodecError) as error:
            await self._undecodable(error)
            return []
        except KafkaError as error:
            if not is_transient(error):
                raise
            log.warning("failed while reading %s, trying again: %s", self._name, describe(error))
            await asyncio.sleep(PAUSE_AFTER_ERROR_SECONDS)
            return []
        except Exception as error:  # noqa: BLE001  # a codec may raise anything over broken bytes
            await self._undecodable(error)
            return []
        self._one_by_one = max(0, self._one_by_one - 1)
        records: Sequence[Record] = fetched.get(self._partition, [])
        return records

    def _look_out_for_silence(self) -> None:
        """A line now and then while the broker is away: the client tries again without a word."""
        answered = self._consumer.last_poll_timestamp(self._partition)
        self._answered = answered / 1000 if answered else self._answered
        silence = time.time() - self._answered
        if silence < SILENCE_SECONDS:
            self._silence_told = 0.0
        elif silence > 2 * self._silence_told:
            self._silence_told = silence
            log.warning("no answer from Kafka about %s for %.0f seconds", self._name, silence)

    async def _undecodable(self, error: Exception) -> None:
        """Find the record that the client cannot decode: go back, and read singly up to it."""
        if self._one_by_one:
            raise PartitionStopped(
                f"{self._name} stopped at offset {self._next}: the client cannot decode what"
                f" stands there ({type(error).__name__}). Its neighbours before it are applied,"
                " nothing after it is. See 'A partition that stopped' in docs/operations.md."
            ) from None
        self._one_by_one = CHUNK
        self._consumer.seek(self._partition, self._next)

    def _lost(self) -> PartitionStopped:
        return PartitionStopped(
            f"{self._name} stopped: the broker has no offset {self._next} any more (or not yet),"
            " so events may be missing. It was not jumped over. See 'A partition that stopped' in"
            " docs/operations.md."
        )

    @property
    def _name(self) -> str:
        return f"{self._partition.topic}-{self._partition.partition}"
