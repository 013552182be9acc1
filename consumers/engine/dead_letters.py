"""Messages that can never succeed, and publishing them to `<topic>.dlq`, at least once."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    UnknownTopicOrPartitionError,
)

from consumers.contracts.letters import (
    ADDED,
    MAX_DETAIL,
    Original,
    letter_id_of,
    original_of,
)
from consumers.contracts.refusal import DeadLetter, Record
from consumers.engine.errors import ConsumerStopped
from consumers.kafka.connection import KafkaConnection, start
from consumers.kafka.faults import KafkaFault
from consumers.kafka.reach import reachable
from consumers.kafka.topics import missing_topic
from repositories.operations.letters import Copied, LetterId

NO_LIMIT = 2**31 - 1  # the broker's own limit decides
GOODBYE_SECONDS = 3
SETTINGS_SECONDS = 2
READ_AGAIN_SECONDS = 10


def bytes_of(record: Record) -> int:
    """Key, value and headers together: any of them can be the large one."""
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def dead_letter_headers(letter: DeadLetter, group: str) -> list[tuple[str, bytes]]:
    """The record's own headers unchanged, then the `dlq-` ones, as UTF-8 text.

    `dlq-topic`, `dlq-partition` and `dlq-offset` are the dead letter's identity; a copy that a
    redrive has sent has that of the letter that it names. Headers of an earlier trip stay; the last
    of a name counts.
    """
    record, letter_id = letter.record, letter_id_of(letter.record)
    before = dict(record.headers).get("dlq-attempts") or b""
    attempts = int(before) if before.isdigit() and len(before) < 10 else 0
    texts = (letter.reason.value, letter.detail[:MAX_DETAIL], *map(str, letter_id), group)
    added = zip(ADDED, (*texts, str(attempts + 1)), strict=True)
    return [*record.headers, *((name, text.encode()) for name, text in added)]


async def read_again(
    connection: KafkaConnection, places: Sequence[tuple[TopicPartition, int]]
) -> dict[tuple[TopicPartition, int], Record]:
    """The records at these offsets; those that the broker no longer has are left out.

    For the few that the database refuses, as a batch does not keep the records of its events, and
    for redrives. Without
    a group, so it disturbs nobody's. Raises a retriable KafkaError.
    """
    wanted: dict[TopicPartition, list[int]] = defaultdict(list)
    for partition, offset in places:
        wanted[partition].append(offset)
    found: dict[tuple[TopicPartition, int], Record] = {}
    options = (await reachable(connection)).client_options()
    reader = AIOKafkaConsumer(**options, auto_offset_reset="none")
    try:
        await start(reader)
        for partition, offsets in wanted.items():
            reader.assign([partition])
            position = -1
            for offset in sorted(offsets):
                if offset != position:  # a seek drops what was fetched
                    reader.seek(partition, offset)
                record = await _next_record(reader, partition)
                position = record.offset + 1 if record else -1
                if record and record.offset == offset:
                    found[partition, offset] = record
    finally:
        await reader.stop()
    return found


async def _next_record(reader: AIOKafkaConsumer, partition: TopicPartition) -> Record | None:
    try:
        async with asyncio.timeout(READ_AGAIN_SECONDS):
            record: Record = await reader.getone(partition)
    except OffsetOutOfRangeError:
        return None
    except TimeoutError:
        raise KafkaError from None
    return record


async def originals(
    connection: KafkaConnection,
    suffix: str,
    copies: Mapping[LetterId, tuple[int, int] | None],
    ends: Mapping[tuple[str, int], int],
) -> dict[LetterId, Original]:
    """The messages of letters, as they were published; those that no topic has are left out.

    `copies` has each letter's partition and offset on the dead letter topic, where they are known;
    there it is looked for first, then where it was read. `ends` are the end offsets of the
    partitions that are there. Raises a retriable KafkaError.
    """
    found: dict[LetterId, Original] = {}
    places = {of: (of.topic + suffix, *copy) for of, copy in copies.items() if copy}
    for looked_for in (places, {of: of[:3] for of in copies}):
        left = {
            of: (TopicPartition(topic, partition), offset)
            for of, (topic, partition, offset) in looked_for.items()
            if of not in found and offset < ends.get((topic, partition), 0)
        }
        records = await read_again(connection, list(left.values())) if left else {}
        for letter_id, place in left.items():
            if place in records and (original := original_of(records[place], letter_id)):
                found[letter_id] = original
    return found


class DeadLetterQueue:
    """The `<topic>.dlq` topics. Starts its producer with the first dead letter, if one comes."""

    def __init__(self, connection: KafkaConnection, suffix: str = ".dlq") -> None:
        self.connection = connection
        self._suffix = suffix
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, letters: Sequence[DeadLetter], group: str) -> Sequence[Copied]:
        """Send all, and wait until all are acknowledged; where they lie now.

        Raises a retriable KafkaError (send all again: readers tell dead letters apart by topic,
        partition and offset of the original), or ConsumerStopped if the broker will not take one.
        """
        try:
            return await self._send_all(letters, group)
        except MessageSizeTooLargeError:
            # A topic's settings can reach its broker after the topic itself.
            await asyncio.sleep(SETTINGS_SECONDS)  # the broker tells nobody when they have arrived
            try:
                return await self._send_all(letters, group)
            except MessageSizeTooLargeError:
                raise ConsumerStopped(
                    "a dead letter is larger than its topic takes: raise max.message.bytes of"
                    f" {letters[0].record.topic}{self._suffix} above that of the topic itself"
                ) from None

    async def _send_all(self, letters: Sequence[DeadLetter], group: str) -> Sequence[Copied]:
        async with self._starting:  # the lanes share the producer
            producer = self._producer = self._producer or await self._start()
        try:
            sending = (self._send(producer, letter, group) for letter in letters)
            return await asyncio.gather(*sending)
        except KafkaError as error:
            if not error.retriable:
                await self._give_up(producer)
            raise

    async def close(self) -> None:
        if self._producer:
            await self._give_up(self._producer)

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **(await reachable(self.connection)).client_options(),
            acks="all",
            enable_idempotence=True,
            # A message may have come compressed, and would not fit its DLQ otherwise. Every client
            # can read gzip.
            compression_type="gzip",
            max_request_size=NO_LIMIT,
            key_serializer=_unboxed,
            value_serializer=_unboxed,
        )
        async with AsyncExitStack() as on_failure:
            on_failure.push_async_callback(producer.stop)
            await start(producer)
            on_failure.pop_all()
        return producer

    async def _give_up(self, producer: AIOKafkaProducer) -> None:
        """An idempotent producer can be of no use after an error; the next try gets a new one."""
        if self._producer is producer:
            self._producer = None
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(GOODBYE_SECONDS):  # else it would wait for a lost broker
                await producer.stop()

    async def _send(self, producer: AIOKafkaProducer, letter: DeadLetter, group: str) -> Copied:
        topic = letter.record.topic + self._suffix
        try:
            # Boxed: the client refuses a message with neither key nor value, and Kafka does not.
            sent = await producer.send_and_wait(
                topic,
                key=(letter.record.key,),
                value=(letter.record.value,),
                headers=dead_letter_headers(letter, group),
            )
        except UnknownTopicOrPartitionError:
            raise KafkaFault(missing_topic(topic)) from None
        return Copied(letter_id_of(letter.record), sent.partition, sent.offset)


def _unboxed(box: tuple[bytes | None]) -> bytes | None:
    return box[0]
