"""What is to be read again of each partition, and whether the broker still has all of it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from consumers.contracts.refusal import Record
from consumers.engine.group import FETCH_BYTES, FETCH_WAIT_MS, PARTITION_FETCH_BYTES, leave
from consumers.kafka.connection import KafkaConnection, start
from consumers.kafka.reach import reachable
from consumers.kafka.topics import topics_of

LOG_APPEND_TIME = 1  # as records say it


class RangeRefused(Exception):
    """The broker does not have what is to be read; the message says what it has."""


class InPartition(NamedTuple):
    """An offset of one partition of the one topic that is read."""

    partition: int
    offset: int


# A record timestamp in milliseconds since 1970, an offset, or None: the beginning, or now.
Bound = int | InPartition | None


@dataclass(frozen=True)
class Range:
    """The offsets from `start` to before `end`; of their records those whose timestamps are from
    `since` on and before `until`, in milliseconds since 1970."""

    start: int
    end: int
    since: int | None = None
    until: int | None = None

    def holds(self, record: Record) -> bool:
        return (
            record.offset < self.end
            and (self.since is None or record.timestamp >= self.since)
            and (self.until is None or record.timestamp < self.until)
        )


Ranges = Mapping[TopicPartition, Range]
Offsets = Mapping[TopicPartition, int]


@asynccontextmanager
async def reading_again(connection: KafkaConnection) -> AsyncIterator[AIOKafkaConsumer]:
    """A client without a group: it is assigned what it reads and commits nothing. Raises
    KafkaUnreachable."""
    consumer = AIOKafkaConsumer(
        **(await reachable(connection)).client_options(),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        fetch_max_wait_ms=FETCH_WAIT_MS,
    )
    try:
        await start(consumer)
        yield consumer
    finally:
        await leave(consumer)


async def partitions_of(
    consumer: AIOKafkaConsumer, connection: KafkaConnection, topics: Collection[str]
) -> tuple[Sequence[TopicPartition], str]:
    """All partitions of those that are there, and what is wrong with the others, if any."""
    found = await topics_of(consumer, connection, topics)
    there = sorted(found.present.items())
    partitions = [TopicPartition(name, n) for name, its in there for n in range(its.partitions)]
    return partitions, found.complaint()


async def ranges_of(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    begin: Bound,
    end: Bound,
    *,
    whatever_is_left: bool = False,
) -> Ranges:
    """By partition, what lies between the bounds.

    Raises RangeRefused where the broker no longer has all of it, unless `whatever_is_left` is
    enough, or does not have it yet.

    With times every record's own counts. Where they are the publisher's they are in no order, so
    all is read from the first that is late enough.
    """
    for bound in (begin, end):
        if isinstance(bound, InPartition):
            partitions = [at for at in partitions if at.partition == bound.partition]
    if not partitions:
        raise RangeRefused("There is no such partition: `kafka-topics.sh --describe` lists them.")
    firsts: Offsets = await consumer.beginning_offsets(partitions)
    ends: Offsets = await consumer.end_offsets(partitions)
    starts = await _starts(consumer, begin, firsts, ends)
    gone = [at for at in partitions if _lacks(firsts[at], starts[at], begin)]
    if gone and not whatever_is_left:
        raise RangeRefused(await _what_is_left(consumer, gone, firsts, ends))
    stops = dict.fromkeys(partitions, end.offset) if isinstance(end, InPartition) else ends
    for at in partitions:
        if max(starts[at], stops[at]) > ends[at]:
            raise RangeRefused(
                f"{_name(at)} has no offset {max(starts[at], stops[at])} yet: the next message will"
                f" have offset {ends[at]}."
            )
    since, until = (bound if isinstance(bound, int) else None for bound in (begin, end))
    return {
        at: Range(max(starts[at], firsts[at]), max(stops[at], firsts[at]), since, until)
        for at in partitions
    }


async def _starts(
    consumer: AIOKafkaConsumer, begin: Bound, firsts: Offsets, ends: Offsets
) -> Offsets:
    if isinstance(begin, InPartition):
        return dict.fromkeys(firsts, begin.offset)
    if begin is None:
        return firsts
    found = await consumer.offsets_for_times(dict.fromkeys(firsts, begin))
    return {at: found[at].offset if found[at] else ends[at] for at in firsts}


def count_of(ranges: Ranges) -> int:
    """How many messages they are, at most."""
    return sum(max(0, its.end - its.start) for its in ranges.values())


def of_numbers(ranges: Ranges, numbers: Collection[int]) -> Ranges:
    return {at: its for at, its in ranges.items() if at.partition in numbers}


def _lacks(first: int, start: int, begin: Bound) -> bool:
    """Whether messages of the range may have been removed: with a time, those before the first that
    is left, if that is late enough itself."""
    return start < first if isinstance(begin, InPartition) else first > 0 and start == first


async def _what_is_left(
    consumer: AIOKafkaConsumer,
    gone: Sequence[TopicPartition],
    firsts: Offsets,
    ends: Offsets,
) -> str:
    found = await consumer.offsets_for_times(dict.fromkeys(gone, 0))
    left = []
    for at in sorted(gone):
        if firsts[at] == ends[at]:
            left.append(f"of {_name(at)} nothing (the next offset is {ends[at]})")
            continue
        since = found[at] and datetime.fromtimestamp(found[at].timestamp / 1000, UTC)
        when = f", {since:%Y-%m-%dT%H:%M:%SZ}" if since else ""
        left.append(f"{_name(at)} from offset {firsts[at]}{when}")
    return (
        "The broker no longer has all of that range. What is left: "
        + "; ".join(left)
        + ". Ask for what is left, or take whatever that is with --whatever-is-left."
    )


def _name(at: TopicPartition) -> str:
    return f"{at.topic}-{at.partition}"
