"""Looking at groups and partitions from outside: it joins no group and moves no offset, but for
`commit_for`, which Kafka takes only for a group that has no members."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, OffsetAndMetadata, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, KafkaTimeoutError

from consumers.kafka.connection import KafkaConnection, start
from consumers.kafka.groups import GroupState, Place, group_state
from consumers.kafka.reach import reachable
from consumers.kafka.stops import Stop, is_of_a_record, stop_over

WAIT_MS = 200
ANSWER_SECONDS = 10
PARTITION_FETCH_BYTES = 64 * 1024  # a larger record or batch comes all the same


class Inspection:
    """Groups, first offsets, timestamps, and what cannot be read."""

    def __init__(
        self, admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer, options: Mapping[str, Any]
    ) -> None:
        self._admin = admin
        self._reader = reader
        self._options = options

    async def group(self, name: str) -> GroupState:
        return await group_state(self._admin, name)

    async def first_offsets(self, places: Sequence[Place]) -> dict[Place, int]:
        """The lowest that the broker still has of each partition."""
        found = await self._reader.beginning_offsets([TopicPartition(*at) for at in places])
        return {(at.topic, at.partition): offset for at, offset in found.items()}

    async def timestamps(self, unread: Mapping[Place, tuple[int, int]]) -> dict[Place, int]:
        """Of each partition, given its next offset and its end, the timestamp of the next record
        that can be read, in milliseconds since 1970; without those that have none."""
        ends = {at: end for at, (_, end) in unread.items()}
        starts = {at: start_ for at, (start_, _) in unread.items()}
        found = await self._read(starts, ends)
        beyond = {
            at: await self.next_readable(at, starts[at], ends[at]) for at in unread.keys() - found
        }
        return found | await self._read(beyond, ends)

    async def _read(
        self, starts: Mapping[Place, int], ends: Mapping[Place, int]
    ) -> dict[Place, int]:
        """The timestamp of the first record of each partition that can be read."""
        partitions = {TopicPartition(*at): start_ for at, start_ in starts.items()}
        self._reader.assign(list(partitions))
        for at, start_ in partitions.items():
            self._reader.seek(at, start_)
        found: dict[Place, int] = {}
        for at in partitions:
            with _of_a_record_ignored():
                while at not in found and await self._reader.position(at) < ends[at]:
                    for record in await self._next(at):
                        found[at.topic, at.partition] = record.timestamp
        return found

    async def stop_at(self, place: Place, offset: int) -> Stop | None:
        """Why no member could read on at this offset, before the end; None if one could."""
        at = TopicPartition(*place)
        self._reader.assign([at])
        self._reader.seek(at, offset)
        try:
            await self._next(at)
        except Exception as error:  # a codec may raise anything; others are raised on
            if not is_of_a_record(error):
                raise
            return stop_over(at, offset, error)
        return None

    async def _next(self, at: TopicPartition) -> Sequence[Any]:
        """The next record; none where there are only such as move the position alone. Raises
        KafkaTimeoutError if Kafka sends nothing."""
        position, deadline = await self._reader.position(at), time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < deadline:
            fetched = await self._reader.getmany(at, timeout_ms=WAIT_MS, max_records=1)
            if at in fetched or await self._reader.position(at) != position:
                return list(fetched.get(at, ()))
        raise KafkaTimeoutError

    async def next_readable(self, place: Place, offset: int, end: int) -> int:
        """The first offset from `offset` on at which a member could read on; the end if none.

        What cannot be decoded takes the rest of its record batch with it, whose length is unknown:
        so it looks ahead in growing steps, and then halves the last of them.
        """
        first = max(offset, (await self.first_offsets([place]))[place])
        if first >= end or await self.stop_at(place, first) is None:
            return min(first, end)
        unreadable, step = first, 1
        while (readable := min(first + step, end)) < end and await self.stop_at(place, readable):
            unreadable, step = readable, 2 * step
        while readable - unreadable > 1:
            middle = (unreadable + readable) // 2
            if await self.stop_at(place, middle):
                unreadable = middle
            else:
                readable = middle
        return readable

    async def commit_for(self, group: str, place: Place, offset: int) -> bool:
        """Move the committed offset of a group; False if it has members, who alone may do that.
        Raises KafkaTimeoutError."""
        at = TopicPartition(*place)
        client = AIOKafkaConsumer(
            **self._options, group_id=group, enable_auto_commit=False, auto_offset_reset="none"
        )
        try:
            await start(client)
            client.assign([at])
            async with asyncio.timeout(ANSWER_SECONDS):
                await client.commit({at: OffsetAndMetadata(offset, "")})
        except CommitFailedError:
            return False
        except TimeoutError:
            raise KafkaTimeoutError from None
        finally:
            await client.stop()
        return True


@contextmanager
def _of_a_record_ignored() -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a codec may raise anything; others are raised on
        if not is_of_a_record(error):
            raise


@asynccontextmanager
async def inspection(connection: KafkaConnection) -> AsyncIterator[Inspection]:
    """Closed at the end. Raises KafkaUnreachable, or another KafkaError."""
    options = (await reachable(connection)).client_options()
    async with AsyncExitStack() as closing:
        admin = AIOKafkaAdminClient(**options)
        closing.push_async_callback(admin.close)
        await start(admin)
        reader = AIOKafkaConsumer(
            **options,
            isolation_level="read_committed",
            auto_offset_reset="none",
            enable_auto_commit=False,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        )
        closing.push_async_callback(reader.stop)
        await start(reader)
        yield Inspection(admin, reader, options)
