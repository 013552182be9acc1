"""Refused messages are read again, as a batch does not keep its records."""

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from consumers.contracts.refusal import Record
from consumers.engine.dead_letters import read_again
from service.kafka import Message
from service.wiring import kafka_connection
from tests.harness.deployment import SUBMITTED, Deployment, plan_deployment
from tests.harness.kafka import admin, producer, read_topic, send

NO_DATABASE = "postgresql://nobody@localhost/nothing"


@pytest.fixture
async def deployment(kafka: str) -> Deployment:
    """Two partitions with five messages each, in compressed batches."""
    deployment = plan_deployment(kafka, NO_DATABASE)
    await deployment.create_topics()
    topic = deployment.topic(SUBMITTED)
    shapes = [
        Message(topic, b"key", b"value" * 100, [("ce_id", b"\xff\x00"), ("x", b""), ("x", b"y")]),
        Message(topic, None, b"\x00\xff", ()),
        Message(topic, b"", None, [("only", b"header")]),
        Message(topic, None, None, ()),
        Message(topic, b"key", b"", ()),
    ]
    async with producer(deployment, compression_type="gzip") as client:
        for number in range(2):
            await send(client, shapes, number)
    return deployment


def content(record: Record) -> object:
    place = record.topic, record.partition, record.offset
    return place, record.timestamp, record.key, record.value, list(record.headers)


async def test_the_very_records_come_in_any_order(deployment: Deployment) -> None:
    topic = deployment.topic(SUBMITTED)
    left, right = TopicPartition(topic, 0), TopicPartition(topic, 1)
    places = [(right, 4), (left, 2), (left, 0), (right, 3), (left, 1), (right, 0)]
    found = await read_again(kafka_connection(deployment.settings), places)
    assert found.keys() == set(places)
    published = {(r.partition, r.offset): content(r) for r in await read_topic(deployment, topic)}
    assert {(at.partition, offset): content(record) for (at, offset), record in found.items()} == {
        (at.partition, offset): published[at.partition, offset] for at, offset in places
    }


async def test_what_the_broker_has_deleted_is_left_out(deployment: Deployment) -> None:
    topic = deployment.topic(SUBMITTED)
    left, right = TopicPartition(topic, 0), TopicPartition(topic, 1)
    async with admin(deployment) as client:
        await client.delete_records({left: RecordsToDelete(2)})
    places = [(left, 0), (left, 1), (left, 3), (right, 0)]
    found = await read_again(kafka_connection(deployment.settings), places)
    assert found.keys() == {(left, 3), (right, 0)}
    assert {offset: record.offset for (_, offset), record in found.items()} == {3: 3, 0: 0}
