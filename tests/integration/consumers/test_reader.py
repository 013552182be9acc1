"""The reader of a lane: backlogs in turns, and a partition that cannot be read stops alone."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from consumers.contracts.refusal import Record
from consumers.engine import reader
from consumers.engine.intake import Batch, BatchPolicy
from consumers.kafka.stops import Stop
from repositories.vocabulary import StopCause
from service.kafka import Message
from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import PAID, SUBMITTED, Deployment, plan_deployment
from tests.harness.kafka import admin, producer, send
from tests.harness.waiting import LONG, until
from tests.integration.consumers.reading import Reading, reading, sizes

Place = tuple[str, int, int]  # topic, partition, offset

NO_DATABASE = "postgresql://nobody@localhost/nothing"
NUMBERS = 4  # partitions of each of the two topics
A_BATCH = 1_600  # messages; a turn has as many
BACKLOG = 3 * A_BATCH // 2  # messages of one partition: each number has turns to come


@pytest.fixture
async def deployment(kafka: str) -> Deployment:
    """Two topics of the test's own, and no database."""
    deployment = plan_deployment(kafka, NO_DATABASE).having(topic_partitions=NUMBERS)
    async with admin(deployment) as client:
        await client.create_topics([NewTopic(topic, NUMBERS, 1) for topic in _topics(deployment)])
    return deployment


async def test_a_backlog_is_read_number_by_number_and_in_turns(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BEHIND", 200)
    partitions = _partitions(deployment)
    for partition in partitions:
        await _fill(deployment, partition, BACKLOG)
    async with _reading(deployment, dict.fromkeys(partitions, 0), A_BATCH, LONG) as lane:
        batches = await _batches(lane, len(partitions) * BACKLOG)
    far_behind = batches[: 2 * NUMBERS]  # what is left after two turns of each comes as it is
    by_number = [_messages_by_number(batch) for batch in far_behind]
    # One number has its turn, and before it perhaps the rest of the turn before. At first it is not
    # known yet who is behind.
    assert max(len(numbers) for numbers in by_number[1:]) <= 2
    # Every number has had a turn before one has its second.
    first_turns = sum(by_number[:NUMBERS], Counter[int]())
    assert len(first_turns) == NUMBERS
    assert max(first_turns.values()) < 2 * A_BATCH
    # The partitions of one number, which hold the same providers, meet in a batch.
    for batch, numbers in zip(far_behind, by_number, strict=True):
        [(number, _)] = numbers.most_common(1)
        shares = [sizes(batch)[topic, number] for topic in _topics(deployment)]
        assert min(shares) >= A_BATCH / 8, shares
    _assert_each_once_in_order(batches, dict.fromkeys(partitions, range(BACKLOG)))


@pytest.mark.parametrize("others", [300, 3 * reader.BEHIND], ids=["few", "far behind"])
async def test_what_cannot_be_decoded_stops_its_partition_at_its_offset_and_nothing_else(
    deployment: Deployment, others: int
) -> None:
    bad, *rest = _partitions(deployment)
    for partition in rest:
        await _fill(deployment, partition, others)
    good = Message(bad.topic, b"key", b"value", ())
    await produce(deployment, bad.partition, [good] * 5)
    broken = [*[good] * 5, with_undecodable_header(good), *[good] * 5]
    first = await produce(deployment, bad.partition, broken)
    expected = dict.fromkeys(rest, range(others)) | {bad: range(first + 5)}
    async with _reading(deployment, dict.fromkeys(expected, 0), 500) as lane:
        batches = await _batches(lane, sum(map(len, expected.values())))
        await until(lambda: lane.progress.stopped, "a partition that stops")
        for partition in rest:
            await _fill(deployment, partition, 50)
        batches += await _batches(lane, 50 * len(rest))
    assert list(lane.progress.stopped) == [bad]
    name = f"{bad.topic}-{bad.partition}"
    assert lane.progress.stopped[bad].why.startswith(f"{name} stopped at offset {first + 5}: ")
    expected |= dict.fromkeys(rest, range(others + 50))
    _assert_each_once_in_order(batches, expected)


async def test_an_offset_that_the_broker_does_not_have_stops_its_partition_alone(
    deployment: Deployment,
) -> None:
    lost, *rest = _partitions(deployment)
    for partition in (lost, *rest):
        await _fill(deployment, partition, 300)
    async with _reading(deployment, dict.fromkeys(rest, 0) | {lost: 1_000}, 500) as lane:
        batches = await _batches(lane, 300 * len(rest))
        await until(lambda: lane.progress.stopped, "a partition that stops")
    assert list(lane.progress.stopped) == [lost]
    assert "the broker has no offset 1000" in lane.progress.stopped[lost].why
    _assert_each_once_in_order(batches, dict.fromkeys(rest, range(300)))


async def test_a_topic_that_the_brake_has_stopped_is_not_read_on(deployment: Deployment) -> None:
    stopped, *rest = _partitions(deployment)[::NUMBERS]
    async with _reading(deployment, dict.fromkeys((stopped, *rest), 0), 10) as lane:
        lane.brakes.stopped[stopped.topic] = "too many"
        await until(lambda: lane.progress.stopped, "a partition that stops")
        for partition in (stopped, *rest):
            await _fill(deployment, partition, 50)
        batches = await _batches(lane, 50)
    assert lane.progress.stopped == {stopped: Stop(StopCause.BRAKE, 0, "too many")}
    _assert_each_once_in_order(batches, dict.fromkeys(rest, range(50)))


async def test_a_topic_that_is_paused_is_left_out_and_goes_on_where_it_was(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a backlog that is read in turns."""
    monkeypatch.setattr(reader, "BEHIND", 200)
    partitions, topic = _partitions(deployment), deployment.topic(SUBMITTED)
    for partition in partitions:
        await _fill(deployment, partition, BACKLOG // 2)
    async with _reading(deployment, dict.fromkeys(partitions, 0), 500) as lane:
        batches = [await lane.batch()]
        lane.orders.paused = frozenset([topic])
        while _of(batches, deployment.topic(PAID)) < NUMBERS * BACKLOG // 2:
            batches.append(await lane.batch())
        read_by_then = _of(batches, topic)
        assert read_by_then < NUMBERS * BACKLOG // 2
        await asyncio.sleep(0.5)  # it would have read on by then
        assert lane.intake._chunks == []
        lane.orders.paused = frozenset()
        left = NUMBERS * BACKLOG // 2 - read_by_then
        batches += await _batches(lane, left)
    _assert_each_once_in_order(batches, dict.fromkeys(partitions, range(BACKLOG // 2)))


async def test_kafka_is_not_blamed_for_a_reader_that_does_not_ask_or_a_loop_that_is_late(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(reader, "SILENCE_SECONDS", 0.6)
    [partition, *_] = _partitions(deployment)
    await _fill(deployment, partition, 3 * reader.CHUNK)
    async with _reading(deployment, {partition: 0}, reader.CHUNK) as lane:
        await asyncio.sleep(1.5)  # nobody takes what is read, as while the database is away
        await _batches(lane, 3 * reader.CHUNK)
        for _ in range(3):  # now it asks, and has nothing to read
            time.sleep(1)  # noqa: ASYNC251  # a busy processor
            await asyncio.sleep(0.3)  # and it asks again
    assert _told(caplog) == []


async def test_a_client_that_is_closed_under_the_reader_is_no_broken_record(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    async with _reading(deployment, dict.fromkeys(_partitions(deployment), 0), 500) as lane:
        await asyncio.sleep(0.5)  # it is asking
        await lane.consumer.stop()
        assert await lane.ended() is None
    assert (lane.progress.stopped, _told(caplog)) == ({}, [])


async def test_an_error_of_the_client_that_is_not_over_a_record_is_no_broken_record(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with _reading(deployment, dict.fromkeys(_partitions(deployment), 0), 500) as lane:
        # As the client does whose parts are being taken down. (It is no coroutine any more.)
        monkeypatch.setattr(lane.consumer._fetcher, "fetched_records", lambda *_, **__: None)
        assert type(await lane.ended()) is KafkaError  # so the lane makes a new client
    assert lane.progress.stopped == {}
    assert _told(caplog) == ["the Kafka client failed while reading (TypeError)"]


def _reading(
    deployment: Deployment,
    starts: dict[TopicPartition, int],
    most: int,
    backlog_linger: float = 0.5,
) -> AbstractAsyncContextManager[Reading[Place]]:
    policy = BatchPolicy(most, 2**30, linger_seconds=0.1, backlog_linger_seconds=backlog_linger)
    decoders = dict.fromkeys(_topics(deployment), _place)
    return reading(deployment.bootstrap_servers, starts, decoders, policy)


def _told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the reader itself has logged."""
    return [line.message for line in caplog.records if line.name.startswith("consumers.")]


def _place(record: Record) -> Place:
    return record.topic, record.partition, record.offset


async def _batches(lane: Reading[Place], messages: int) -> list[Batch[Place]]:
    """The next batches, until they hold so many messages."""
    found: list[Batch[Place]] = []
    while sum(map(len, found)) < messages:
        found.append(await lane.batch())
    return found


def _of(batches: Sequence[Batch[Place]], topic: str) -> int:
    """How many messages of this topic they hold."""
    return sum(one == topic for batch in batches for one, _, _ in batch.events)


def _messages_by_number(batch: Batch[Place]) -> Counter[int]:
    found: Counter[int] = Counter()
    for (_, number), size in sizes(batch).items():
        found[number] += size
    return found


def _assert_each_once_in_order(
    batches: Sequence[Batch[Place]], offsets: Mapping[TopicPartition, Sequence[int]]
) -> None:
    found = defaultdict[TopicPartition, list[int]](list)
    for batch in batches:
        for topic, number, offset in batch.events:
            found[TopicPartition(topic, number)].append(offset)
    assert found == {partition: list(expected) for partition, expected in offsets.items()}


def _topics(deployment: Deployment) -> list[str]:
    return [deployment.topic(SUBMITTED), deployment.topic(PAID)]


def _partitions(deployment: Deployment) -> list[TopicPartition]:
    return [TopicPartition(topic, n) for topic in _topics(deployment) for n in range(NUMBERS)]


async def _fill(deployment: Deployment, partition: TopicPartition, count: int) -> None:
    messages = [Message(partition.topic, b"key", b"value" * 10, ())] * count
    async with producer(deployment) as client:
        await send(client, messages, partition.partition)
