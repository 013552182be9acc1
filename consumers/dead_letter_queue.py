"""Publishing dead letters, at least once: done only when the broker has acknowledged them."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from consumers.connection import KafkaConnection
from consumers.dead_letters import DeadLetter, dead_letter_headers
from consumers.errors import ConsumerStopped

NO_LIMIT = 2**31 - 1  # the broker's own limit decides
GOODBYE_SECONDS = 3


class DeadLetterQueue:
    """The `<topic>.dlq` topics. Starts its producer with the first dead letter, if one comes."""

    def __init__(self, connection: KafkaConnection, suffix: str = ".dlq") -> None:
        self._connection = connection
        self._suffix = suffix
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def publish(self, letters: Sequence[DeadLetter], group: str) -> None:
        """Send all, and wait until all are acknowledged.

        Raises a retriable KafkaError (send all again: readers tell dead letters apart by topic,
        partition and offset of the original), or ConsumerStopped if the broker will not take one.
        """
        producer = await self._started()
        try:
            await asyncio.gather(*(self._send(producer, letter, group) for letter in letters))
        except MessageSizeTooLargeError:
            raise ConsumerStopped(
                "a dead letter is larger than its topic takes: raise max.message.bytes of"
                f" {letters[0].record.topic}{self._suffix} above that of the topic itself"
            ) from None
        except KafkaError as error:
            if not error.retriable:
                await self._give_up(producer)
            raise

    async def close(self) -> None:
        if self._producer:
            await self._give_up(self._producer)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:  # the consumers of several topics share the producer
            if self._producer is None:
                self._producer = await self._start()
            return self._producer

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **self._connection.client_options(),
            acks="all",
            enable_idempotence=True,
            # A message may have come compressed, and would not fit its DLQ otherwise.
            compression_type="zstd",
            max_request_size=NO_LIMIT,
            key_serializer=_unboxed,
            value_serializer=_unboxed,
        )
        async with AsyncExitStack() as on_failure:
            on_failure.push_async_callback(producer.stop)
            await producer.start()
            on_failure.pop_all()
        return producer

    async def _give_up(self, producer: AIOKafkaProducer) -> None:
        """An idempotent producer can be of no use after an error; the next try gets a new one."""
        if self._producer is producer:
            self._producer = None
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(GOODBYE_SECONDS):  # else it would wait for a lost broker
                await producer.stop()

    async def _send(self, producer: AIOKafkaProducer, letter: DeadLetter, group: str) -> None:
        # Boxed: the client refuses a message with neither key nor value, and Kafka does not.
        await producer.send_and_wait(
            letter.record.topic + self._suffix,
            key=(letter.record.key,),
            value=(letter.record.value,),
            headers=dead_letter_headers(letter, group),
        )


def _unboxed(box: tuple[bytes | None]) -> bytes | None:
    return box[0]
