"""A batch from Kafka to rows, dead letters and offsets, and the brake in the middle of it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete

from consumers.contracts.letters import redrive_header
from consumers.contracts.refusal import DeadLetterReason
from consumers.engine.applier import Applier
from consumers.engine.brake import BrakePolicy, Brakes
from consumers.engine.dead_letters import DeadLetterQueue
from consumers.engine.intake import Batch, BatchPolicy
from consumers.engine.retry import RetryPolicy
from consumers.engine.subscription import Decode, Progress
from consumers.topics.claims import CLAIMS
from repositories.errors import DatabaseBehind, SchemaMissing
from repositories.operations.letters import LetterId
from service.kafka import Message
from service.wiring import kafka_connection, open_database
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import (
    admin,
    all_end_offsets,
    committed,
    dead_letters,
    producer,
    send,
)
from tests.harness.messages import message, nonsense, simulated
from tests.harness.rows import (
    Positions,
    assert_tables_equal_oracle,
    connected,
    stored_offsets,
)
from tests.harness.waiting import LONG
from tests.integration.consumers.reading import reading
from tests.integration.repositories.examples import paid, submitted
from tests.strategies import EventSpec, to_plain

RUN = 50  # bad messages in a row that stop a topic


@pytest.fixture
async def applier(deployment: Deployment) -> AsyncIterator[Applier[bytes]]:
    letters = DeadLetterQueue(kafka_connection(deployment.settings))
    async with open_database(deployment.settings) as database:
        brakes = Brakes(BrakePolicy(ratio=1.0, run=RUN))
        yield Applier(
            CLAIMS, deployment.group, 0, database, letters, brakes, RetryPolicy(), Progress()
        )
        await letters.close()


async def test_a_topic_that_its_brake_stops_is_left_out_and_the_rest_is_applied(
    deployment: Deployment, applier: Applier[bytes]
) -> None:
    load = simulated(deployment, 300)
    bad = deployment.topic(SUBMITTED)
    await _apply(deployment, applier, [*load.messages, *nonsense(deployment, RUN, SUBMITTED)])
    assert f"{bad} stopped: {RUN} messages in a row" in applier.brakes.stopped[bad]
    assert list(applier.brakes.stopped) == [bad]
    await assert_tables_equal_oracle(deployment, load.without(bad).events)
    assert await _letter_rows(deployment) == []
    ends = _without(bad, await all_end_offsets(deployment))
    assert await _both_offsets(deployment) == (ends, ends)
    assert await dead_letters(deployment) == []
    assert applier.progress.messages == len(load.without(bad).messages)
    # So it stays, and for the other lanes too.
    await _apply(
        deployment, replace(applier, lane=1), simulated(deployment, 50, 2).of(bad).messages
    )
    await assert_tables_equal_oracle(deployment, load.without(bad).events)
    assert await _both_offsets(deployment) == (ends, ends)


async def test_refusals_that_are_a_flood_are_rolled_back_with_all_of_their_topic(
    deployment: Deployment, applier: Applier[bytes]
) -> None:
    known = [submitted(f"{n}") for n in range(RUN)]
    await _apply(deployment, applier, _messages(deployment, known))
    before = _of(deployment.topic(PAID), await stored_offsets(deployment, deployment.group))
    stolen = [paid(f"{n}", provider="Q") for n in range(RUN)]
    other = submitted("of the other topic")
    await _apply(deployment, applier, _messages(deployment, [paid("0"), *stolen, other]))
    assert list(applier.brakes.stopped) == [deployment.topic(PAID)]
    await assert_tables_equal_oracle(deployment, map(to_plain, [*known, other]))
    ends = _without(deployment.topic(PAID), await all_end_offsets(deployment))
    assert await _both_offsets(deployment) == (ends | before, ends | before)
    assert await dead_letters(deployment) == await _letter_rows(deployment) == []


async def test_what_the_database_refuses_is_dead_lettered_as_it_was_published(
    deployment: Deployment, applier: Applier[bytes]
) -> None:
    first, second, good = submitted("A"), submitted("B"), paid("B")
    await _apply(deployment, applier, _messages(deployment, [first, second]))
    published = [
        replace(one, key=None, headers=[*one.headers, ("x", b"\xff"), ("x", b"")])
        for one in _messages(
            deployment, [submitted("A", provider="Q"), submitted("B", submitted_fee="1")]
        )
    ]
    await _apply(deployment, applier, [*published, *_messages(deployment, [good])])
    letters = {dict(one.headers)["dlq-reason"]: one for one in await dead_letters(deployment)}
    reasons = (DeadLetterReason.PROVIDER_MISMATCH, DeadLetterReason.VERSION_CONFLICT)
    assert len(letters) == len(reasons)
    for reason, original in zip(reasons, published, strict=True):
        letter = letters[reason.encode()]
        assert (letter.key, letter.value) == (original.key, original.value)
        assert list(letter.headers[: len(original.headers)]) == original.headers
    assert applier.progress.dead_letters == dict.fromkeys(reasons, 1)
    rows = await _letter_rows(deployment)
    assert [row["reason"] for row in rows] == list(reasons)
    assert [(row["copy_partition"], row["copy_offset"]) for row in rows] == [
        (letters[reason.encode()].partition, letters[reason.encode()].offset) for reason in reasons
    ]
    assert [str(row["claim_id"]) for row in rows] == [
        each.data["claim_id"] for each in (first, second)
    ]
    await assert_tables_equal_oracle(deployment, map(to_plain, [first, second, good]))
    ends = await all_end_offsets(deployment)
    assert await _both_offsets(deployment) == (ends, ends)


async def test_refused_messages_count_for_the_brake(
    deployment: Deployment, applier: Applier[bytes]
) -> None:
    known = [submitted(f"{n}") for n in range(10)]
    stolen = [submitted(f"{n}", provider="Q") for n in range(10)]
    await _apply(deployment, applier, _messages(deployment, known + stolen))
    await _apply(deployment, applier, nonsense(deployment, RUN - 11))
    assert not applier.brakes.stopped
    await _apply(deployment, applier, nonsense(deployment, 1))
    assert list(applier.brakes.stopped) == [deployment.topic(SUBMITTED)]
    assert len(await dead_letters(deployment)) == RUN - 1


async def test_copies_of_dead_letters_that_die_again_do_not_stop_their_topic(
    deployment: Deployment, applier: Applier[bytes]
) -> None:
    """Somebody redrives what is not mended: that is no flood of the publisher's."""
    topic, places = deployment.topic(SUBMITTED), range(1_000, 1_000 + 2 * RUN)
    copies = [
        replace(one, headers=[redrive_header(LetterId(topic, 0, offset, 5))])
        for offset, one in zip(places, nonsense(deployment, 2 * RUN), strict=True)
    ]
    await _apply(deployment, applier, copies)
    assert not applier.brakes.stopped
    rows = await _letter_rows(deployment)
    assert [row["source_offset"] for row in rows] == list(places)
    letters = {dict(one.headers)["dlq-offset"] for one in await dead_letters(deployment)}
    assert letters == {b"%d" % offset for offset in places}


async def test_a_refused_message_that_the_broker_has_removed_holds_nothing_up(
    deployment: Deployment, applier: Applier[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    events = [submitted("A"), *(submitted("A", provider=name) for name in "QR"), submitted("B")]
    async with _batch(deployment, _messages(deployment, events)) as (batch, consumer):
        removed = {TopicPartition(deployment.topic(SUBMITTED), 0): RecordsToDelete(2)}
        async with admin(deployment) as client:
            await client.delete_records(removed)
        await applier.apply(batch, consumer)
    assert len(await dead_letters(deployment)) == 1
    # The row is there all the same, so that somebody may ask for the message.
    places = [row["copy_offset"] for row in await _letter_rows(deployment)]
    assert [place is None for place in places] == [True, False]
    [line] = [one for one in caplog.records if "the broker has removed it" in one.message]
    assert line.__dict__["offset"] == 1
    await assert_tables_equal_oracle(deployment, map(to_plain, [events[0], events[-1]]))
    ends = await all_end_offsets(deployment)
    assert await _both_offsets(deployment) == (ends, ends)


async def test_nothing_is_committed_to_kafka_unless_the_transaction_was(
    deployment: Deployment, applier: Applier[bytes]
) -> None:
    async with connected(deployment) as connection:
        await connection.execute("ALTER TABLE claim_events RENAME TO elsewhere")
    with pytest.raises(SchemaMissing):
        await _apply(deployment, applier, simulated(deployment, 50).messages)
    assert await _both_offsets(deployment) == ({}, {})


async def _letter_rows(deployment: Deployment) -> list[Any]:
    async with connected(deployment) as connection:
        return list(await connection.fetch("SELECT * FROM dead_letters ORDER BY source_offset"))


async def test_a_database_that_is_restored_before_the_first_batch_is_found_out(
    deployment: Deployment, applier: Applier[bytes]
) -> None:
    """Where to start was known, and the first batch waited for the database to come back."""
    await _apply(deployment, applier, _messages(deployment, [submitted("A")]))
    later = _messages(deployment, [submitted("B")])
    async with _batch(deployment, later, is_new=False) as (batch, consumer):
        async with connected(deployment) as connection:  # a backup from before anything came
            await connection.execute("TRUNCATE claim_events, claims, consumer_offsets")
        with pytest.raises(DatabaseBehind):
            await applier.apply(batch, consumer)
    assert await stored_offsets(deployment, deployment.group) == {}


def _messages(deployment: Deployment, events: Sequence[EventSpec]) -> list[Message]:
    return [message(deployment, event) for event in events]


async def _apply(
    deployment: Deployment, applier: Applier[bytes], messages: Sequence[Message]
) -> None:
    async with _batch(deployment, messages) as (batch, consumer):
        await applier.apply(batch, consumer)


@asynccontextmanager
async def _batch(
    deployment: Deployment, messages: Sequence[Message], *, is_new: bool = True
) -> AsyncIterator[tuple[Batch[bytes], AIOKafkaConsumer]]:
    """Publish the messages, all to partition 0 of their topic, and read them as one batch."""
    starts = {TopicPartition(*at): end for at, end in (await all_end_offsets(deployment)).items()}
    async with producer(deployment) as client:
        await send(client, messages, 0)
    decoders: dict[str, Decode[bytes]] = {
        deployment.topic(name): decode for name, decode in CLAIMS.decoders.items()
    }
    policy = BatchPolicy(len(messages), 2**30, LONG, LONG)
    servers = deployment.bootstrap_servers
    async with reading(servers, starts, decoders, policy, deployment.group, is_new=is_new) as lane:
        yield await lane.batch(), lane.consumer


async def _both_offsets(deployment: Deployment) -> tuple[Positions, Positions]:
    """The group's next offsets: Kafka's and the database's."""
    group = deployment.group
    return await committed(deployment, group), await stored_offsets(deployment, group)


def _of(topic: str, offsets: Positions) -> Positions:
    return {at: offset for at, offset in offsets.items() if at[0] == topic}


def _without(topic: str, offsets: Positions) -> Positions:
    return {at: offset for at, offset in offsets.items() if at[0] != topic}
