"""The dead letter queue and a real broker that does not take everything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.engine.dead_letters import DeadLetterQueue
from consumers.engine.errors import ConsumerStopped
from consumers.engine.retry import RetryPolicy, describe, is_transient, until_it_succeeds
from consumers.kafka.inflation import CLIENT_MODULES
from service.wiring import kafka_connection
from tests.harness.deployment import SUBMITTED, Deployment, plan_deployment
from tests.harness.kafka import admin, dead_letters
from tests.unit.consumers.records import KafkaRecord

NO_DATABASE = "postgresql://nobody@localhost/nothing"


@pytest.fixture
async def deployment(kafka: str) -> Deployment:
    """Topics of the test's own, and no database."""
    deployment = plan_deployment(kafka, NO_DATABASE)
    await deployment.create_topics()
    return deployment


@pytest.fixture
async def queue(deployment: Deployment) -> AsyncIterator[DeadLetterQueue]:
    async with closing_queue(deployment) as queue:
        yield queue


@asynccontextmanager
async def closing_queue(deployment: Deployment) -> AsyncIterator[DeadLetterQueue]:
    queue = DeadLetterQueue(kafka_connection(deployment.settings))
    try:
        yield queue
    finally:
        await queue.close()


def a_letter(deployment: Deployment, value: bytes = b"bad") -> DeadLetter:
    record = KafkaRecord(value, [], topic=deployment.topic(SUBMITTED))
    return DeadLetter(DeadLetterReason.NOT_JSON, "value: must be JSON", record)


async def test_letters_of_several_lanes_at_once_share_one_producer(
    deployment: Deployment, queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    start = AIOKafkaProducer.start

    async def counted(producer: AIOKafkaProducer) -> None:
        started.append(producer)
        await start(producer)

    monkeypatch.setattr(AIOKafkaProducer, "start", counted)
    await asyncio.gather(*(queue.publish([a_letter(deployment)], f"{n}") for n in range(4)))
    assert started == [queue._producer]
    assert len(await dead_letters(deployment)) == 4


async def test_a_producer_that_the_broker_has_lost_trust_in_is_replaced(
    deployment: Deployment, queue: DeadLetterQueue
) -> None:
    await queue.publish([a_letter(deployment)], "group")
    _skip_sequence_numbers(queue, await _partition(deployment))
    with pytest.raises(KafkaError) as refused:
        await queue.publish([a_letter(deployment)], "group")
    assert is_transient(refused.value)
    await queue.publish([a_letter(deployment)], "group")
    assert len(await dead_letters(deployment)) == 2


async def test_the_retry_of_a_batch_gets_over_it(
    deployment: Deployment, queue: DeadLetterQueue
) -> None:
    await queue.publish([a_letter(deployment)], "group")
    _skip_sequence_numbers(queue, await _partition(deployment))

    async def publish() -> None:
        await queue.publish([a_letter(deployment)], "group")

    await until_it_succeeds(publish, "publishing", RetryPolicy(first=0.01))
    assert len(await dead_letters(deployment)) == 2


async def test_a_letter_that_its_topic_cannot_take_stops_the_consumer(kafka: str) -> None:
    deployment = plan_deployment(kafka, NO_DATABASE)
    topic = deployment.topic(SUBMITTED) + ".dlq"
    await _create_topic_of_small_messages(deployment, topic)
    async with closing_queue(deployment) as queue:
        with pytest.raises(ConsumerStopped, match=f"raise max.message.bytes of {topic}"):
            await queue.publish([a_letter(deployment, Random(1).randbytes(2_000))], "group")


async def test_a_topic_for_letters_that_is_missing_is_named(
    deployment: Deployment, queue: DeadLetterQueue
) -> None:
    await queue.publish([a_letter(deployment)], "group")
    assert queue._producer is not None
    queue._producer.client._request_timeout_ms = 500  # else it looks for the topic for 40 seconds
    letter = DeadLetter(DeadLetterReason.NOT_JSON, "", KafkaRecord(b"", [], topic="nowhere"))
    with pytest.raises(KafkaError) as missing:
        await queue.publish([letter], "group")
    assert is_transient(missing.value)
    assert describe(missing.value).startswith("there is no topic nowhere.dlq: run `claim-analytics")


async def test_letters_are_compressed_with_what_every_client_can_read(
    deployment: Deployment, queue: DeadLetterQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    def noting(name: str, decode: Any) -> Any:
        def decoded(data: Any) -> Any:
            used.append(name)
            return decode(data)

        return decoded

    for module in CLIENT_MODULES:
        for name in [name for name in vars(module) if name.endswith("_decode")]:
            monkeypatch.setattr(module, name, noting(name, getattr(module, name)))
    await queue.publish([a_letter(deployment, b"bad" * 1_000)], "group")
    [letter] = await dead_letters(deployment)
    assert letter.value == b"bad" * 1_000
    assert used == ["gzip_decode"]


async def _create_topic_of_small_messages(deployment: Deployment, topic: str) -> None:
    """Small from the first message on: a broker takes its time over a change of settings."""
    small = NewTopic(topic, 1, 1, topic_configs={"max.message.bytes": "1000"})
    async with admin(deployment) as client:
        await client.create_topics([small])


def _skip_sequence_numbers(queue: DeadLetterQueue, partition: TopicPartition) -> None:
    """What happens to a producer whose message was acknowledged by a broker that then lost it."""
    assert queue._producer is not None
    queue._producer._txn_manager.increment_sequence_number(partition, 5)


async def _partition(deployment: Deployment) -> TopicPartition:
    """Where the letters with the key of `a_letter` go."""
    [letter] = await dead_letters(deployment)
    return TopicPartition(letter.topic, letter.partition)
