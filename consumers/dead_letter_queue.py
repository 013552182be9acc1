"""Publishing dead letters, at least once: done only when the broker has acknowledged them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from consumers.connection import KafkaConnection
from consumers.dead_letters import DeadLetter, dead_letter_headers
from consumers.errors import ConsumerStopped

NO_LIMIT = 2**31 - 1  # the broker's own limit decides


class DeadLetterQueue:
    """The `<topic>.dlq` topics. Starts its producer with the first dead letter, if one comes."""

    def __init__(self, connection: KafkaConnection, suffix: str = ".dlq") -> None:
        self._connection = connection
        self._suffix = suffix
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, letters: Sequence[DeadLetter], group: str) -> None:
        """Send all, and wait until all are acknowledged.

        Raises a retriable KafkaError (send all again: readers tell dead letters apart by topic,
        partition and offset of the original), or ConsumerStopped if the broker will not take one.
        """
        producer = await self._started()
        try:
            sent = [await self._send(producer, letter, group) for letter in letters]
            await asyncio.gather(*sent)
        except MessageSizeTooLargeError:
            raise ConsumerStopped(
                "a dead letter is larger than its topic takes: raise max.message.bytes of"
                f" {letters[0].record.topic}{self._suffix} above that of the topic itself"
            ) from None

    async def close(self) -> None:
        if self._producer:
            await self._producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
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
            try:
                await producer.start()
            except KafkaError:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _send(
        self, producer: AIOKafkaProducer, letter: DeadLetter, group: str
    ) -> asyncio.Future[Any]:
        # Boxed: the client refuses a message with neither key nor value, and Kafka does not.
        future: asyncio.Future[Any] = await producer.send(
            letter.record.topic + self._suffix,
            key=(letter.record.key,),
            value=(letter.record.value,),
            headers=dead_letter_headers(letter, group),
        )
        return future


def _unboxed(box: tuple[bytes | None]) -> bytes | None:
    return box[0]
