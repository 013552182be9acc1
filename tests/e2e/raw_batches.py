"""Record batches made by hand, for what no producer would send."""

from collections.abc import Sequence
from struct import pack_into

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

from service.kafka import Message
from tests.harness.deployment import Deployment

CHECKSUM, CHECKED = 17, 21  # where a batch has its checksum, and where what it covers begins
PLACEHOLDER = b"placeholder"
NO_TEXT = b"\xff" * len(PLACEHOLDER)  # brokers take it as the name of a header, as it is no UTF-8


def with_undecodable_header(message: Message) -> Message:
    """The message with one more header, whose name `produce` makes undecodable."""
    return Message(
        message.topic,
        message.key,
        message.value,
        [*message.headers, (PLACEHOLDER.decode(), b"")],
    )


async def produce(deployment: Deployment, partition: int, messages: Sequence[Message]) -> int:
    """Publish the messages of one topic in one batch; the offset of the first."""
    client = AIOKafkaClient(bootstrap_servers=deployment.bootstrap_servers)
    await client.bootstrap()
    try:
        topics = [(messages[0].topic, [(partition, _batch(messages))])]
        request = ProduceRequest(
            transactional_id=None, required_acks=-1, timeout=10_000, topics=topics
        )
        answer = await client.send(client.get_random_node(), request)
    finally:
        await client.close()
    [(_, [(_, error, offset, *_)])] = answer.topics
    assert error == 0
    return int(offset)


def _batch(messages: Sequence[Message]) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**20,
    )
    for number, message in enumerate(messages):
        assert builder.append(number, None, message.key, message.value, list(message.headers))
    batch = bytearray(bytes(builder.build()).replace(PLACEHOLDER, NO_TEXT))
    pack_into(">I", batch, CHECKSUM, calc_crc32c(batch[CHECKED:]))
    return bytes(batch)
