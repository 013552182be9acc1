"""Reading ranges of topics again, beside live consumption."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from consumers.contracts.refusal import DeadLetter, Record
from consumers.engine.brake import BrakePolicy, Brakes
from consumers.engine.intake import Batch, BatchPolicy, Chunk, Intake
from consumers.engine.reader import NO_PARTITION
from consumers.engine.retry import RetryPolicy
from consumers.engine.subscription import Decode, Progress
from consumers.kafka.connection import KafkaConnection
from consumers.kafka.inflation import bound_inflation
from consumers.replay.range_reader import RangeReader
from consumers.replay.ranges import (
    Ranges,
    count_of,
    of_numbers,
    partitions_of,
    ranges_of,
    reading_again,
)
from repositories.claims.top_code_flush import flush_top_codes
from repositories.errors import LockNotAvailable
from repositories.operations.letters import highest_unresolved
from repositories.postgres.database import Database
from repositories.replaying.rehearsal import Rehearsal, rehearsal
from repositories.replaying.replay import Applying, Batches, TimedEvent, Window, stored_twice
from service.operations.errors import NothingToRead
from service.operations.replaying.kinds import KINDS, Kind
from service.operations.replaying.pipeline import Pace, Replaying
from service.operations.replaying.redecoding import MOST_MISREAD, Redecoding
from service.operations.replaying.request import ReplayRequest
from service.operations.replaying.tally import Tally, TopicTally
from service.settings import Settings
from service.wiring import kafka_connection

SHARE_OF_A_SECOND = 5  # with a rate, a batch is what comes in a fifth of a second


@dataclass(frozen=True)
class Part:
    """The ranges of one kind of events that are read together."""

    kind: Kind
    ranges: Ranges


@dataclass
class Replay:
    """A replay of what was asked for. `tally` is true at any moment, so that one which is broken
    off can be told of."""

    settings: Settings
    request: ReplayRequest
    tally: Tally
    connection: KafkaConnection

    @classmethod
    def of(cls, settings: Settings, request: ReplayRequest) -> "Replay":
        topics = {settings.topic(name): TopicTally() for name in request.topics}
        return cls(settings, request, Tally(topics), kafka_connection(settings))

    async def find(self) -> Sequence[Part]:
        """What there is to read. Raises RangeRefused or NothingToRead, or a KafkaError."""
        request, found = self.request, []
        bound_inflation(self.settings.kafka_max_inflated_bytes)
        async with reading_again(self.connection) as consumer:
            partitions, complaint = await partitions_of(
                consumer, self.connection, list(self.tally.topics)
            )
            if not partitions or (complaint and request.named):
                raise NothingToRead(complaint)
            for name in self.tally.topics.keys() - {at.topic for at in partitions}:
                del self.tally.topics[name]  # the coach's, or another that nobody publishes to
            ranges = await ranges_of(
                consumer, partitions, request.begin, request.end,
                whatever_is_left=request.whatever_is_left,
            )  # fmt: skip
        for kind in KINDS:
            topics = {self.settings.topic(name) for name in kind.subscription.decoders}
            own = {at: its for at, its in ranges.items() if at.topic in topics}
            if own:
                found.append(Part(kind, own))
        self.tally.left = count_of(ranges)
        return found

    async def run(self, database: Database, parts: Sequence[Part]) -> None:
        """Read all of it, and bring the lists of top codes up to date. What it has done until it is
        broken off, or fails, stays done. Raises ConsumerStopped for what cannot be read."""
        async with self._batches(database) as batches:
            pace = Pace(self.request.rate)
            works = [(part, await self._replaying(part, database, batches, pace)) for part in parts]
            try:
                await _all_of(
                    self._read(part.kind, ranges, replaying)
                    for part, replaying in works
                    for ranges in self._lanes(part.ranges)
                )
                for _, replaying in works:
                    await replaying.finish()
                if isinstance(batches, Rehearsal):
                    self.tally.moved_months = await batches.moved_months()
            finally:
                for _, replaying in works:
                    self.tally.count("undecided", replaying.undecided())
        if not self.request.dry_run:
            with suppress(LockNotAvailable):  # marked months: whoever runs next brings them up
                await flush_top_codes(database)

    @asynccontextmanager
    async def _batches(self, database: Database) -> AsyncIterator[Batches]:
        if self.request.dry_run:
            async with rehearsal(database) as rehearsed:
                yield rehearsed
        else:
            yield Applying(database)

    async def _replaying(
        self, part: Part, database: Database, batches: Batches, pace: Pace
    ) -> Replaying:
        retry = RetryPolicy(longest=self.settings.retry_longest_pause_seconds)
        partitions = {(at.topic, at.partition) for at in part.ranges}
        until = await highest_unresolved(database, partitions)
        common = (part.kind, batches, self.tally, pace, retry, self.request.provider, until)
        if not self.request.redecode:
            return Replaying(*common)
        windows = [
            Window(at.topic, at.partition, its.start, its.end) for at, its in part.ranges.items()
        ]
        twice = await stored_twice(database, part.kind.events, windows, MOST_MISREAD + 1)
        return Redecoding(*common, self.request.identity, part.ranges, twice)

    def _lanes(self, ranges: Ranges) -> Sequence[Ranges]:
        """As live lanes do, each takes the same partition numbers of every topic."""
        numbers = sorted({at.partition for at in ranges})
        lanes = [numbers[n :: self.settings.claim_lanes] for n in range(self.settings.claim_lanes)]
        return [of_numbers(ranges, lane) for lane in lanes if lane]

    async def _read(self, kind: Kind, ranges: Ranges, replaying: Replaying) -> None:
        intake: Intake[Any] = Intake(self._policy())
        async with reading_again(self.connection) as consumer:
            reader: RangeReader[Any] = RangeReader(
                consumer, self._decoders(kind), intake, Brakes(BrakePolicy(1, 200, 0)), Progress(),
                ranges=ranges,
            )  # fmt: skip

            async def read() -> None:
                try:
                    await reader.read()
                finally:
                    self._note_times(reader)
                    intake.behind = False
                await intake.put(Chunk(NO_PARTITION, None, 0))

            await _all_of([read(), self._apply(intake, ranges, replaying)])

    async def _apply(self, intake: Intake[Any], ranges: Ranges, replaying: Replaying) -> None:
        """Until the chunk of no partition, which is the last."""
        done = {at: its.start for at, its in ranges.items()}
        while True:
            batch = await intake.take()
            ended = any(chunk.partition == NO_PARTITION for chunk in batch.chunks)
            batch = Batch([each for each in batch.chunks if each.partition != NO_PARTITION])
            await replaying.take(batch)
            for at, offset in batch.next_offsets.items():
                self.tally.left -= min(offset, ranges[at].end) - done[at]
                done[at] = min(offset, ranges[at].end)
            if ended:
                return

    def _policy(self) -> BatchPolicy:
        settings, rate = self.settings, self.request.rate
        most = settings.batch_max_events
        if rate is not None:
            most = max(1, min(most, int(rate / SHARE_OF_A_SECOND)))
        return BatchPolicy(most, settings.batch_max_bytes, settings.batch_linger_seconds)

    def _decoders(self, kind: Kind) -> Mapping[str, Decode[Any]]:
        decoders = {self.settings.topic(n): d for n, d in kind.subscription.decoders.items()}
        if not self.request.redecode:
            return decoders
        return {topic: partial(_timed, decode) for topic, decode in decoders.items()}

    def _note_times(self, reader: RangeReader[Any]) -> None:
        for topic, by_log in reader.log_times.items():
            whose = {"the log" if log else "the publisher" for log in by_log}
            self.tally.times.setdefault(topic, set()).update(whose)


def _timed(decode: Decode[Any], record: Record) -> TimedEvent | DeadLetter:
    decoded = decode(record)
    return decoded if isinstance(decoded, DeadLetter) else TimedEvent(decoded, record.timestamp)


async def _all_of(works: Iterable[Coroutine[Any, Any, None]]) -> None:
    """The first that fails ends the others, and is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
