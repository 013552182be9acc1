"""What an instance does about orders, and what it tells of its partitions."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import pytest
from aiokafka import TopicPartition

from consumers.engine.orders import Orders, SkipTo
from consumers.engine.subscription import Progress
from consumers.kafka.stops import Stop
from repositories.operations.actions import begin_action
from repositories.operations.orders import (
    Skip,
    SkipState,
    close_pauses,
    give_pauses,
    give_skip,
    skip_state,
)
from repositories.operations.stops import StoppedPartition, known_stops, tell_stops
from repositories.postgres.database import Database
from repositories.vocabulary import StopCause
from service.logs import INSTANCE
from service.operations import orders as orders_job
from service.operations.orders import OrdersJob
from tests.harness.waiting import until, until_async

HELD, ELSEWHERE = TopicPartition("topic", 0), TopicPartition("topic", 1)
STOP = Stop(StopCause.UNDECODABLE, 7, "why")
SKIP = Skip("group", "topic", 0, from_offset=7, next_offset=9)


class Instance:
    """The job of one instance, and what its readers know and do."""

    def __init__(self) -> None:
        self.orders = Orders()
        self.progress = Progress(assigned={HELD}, stopped={HELD: STOP})


@pytest.fixture
async def action(database: Database) -> UUID:
    return await begin_action(database, "who", "offsets", {}, "why")


@asynccontextmanager
async def working(
    database: Database, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    for name in ("LOOK_SECONDS", "CONFIRM_SECONDS"):
        monkeypatch.setattr(orders_job, name, 0.02)
    stop = asyncio.Event()
    job = OrdersJob(instance.orders, {"group": instance.progress})
    running = asyncio.create_task(job(database, stop))
    await asyncio.wait_for(instance.orders.known.wait(), 30)
    yield
    stop.set()
    await running


async def closed(database: Database, order_id: UUID) -> SkipState:
    async def ended() -> SkipState | None:
        state = await skip_state(database, order_id)
        return state if state.outcome else None

    state = await until_async(ended, "the end of the order")
    assert state is not None
    return state


async def test_a_skip_is_taken_by_who_has_the_partition_stopped_and_closed_when_it_has_moved(
    database: Database, action: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = Instance()
    elsewhere = await give_skip(database, action, replace(SKIP, partition=1))
    other_group = await give_skip(database, action, replace(SKIP, group="another"))
    async with working(database, instance, monkeypatch):
        order = await give_skip(database, action, SKIP)
        await until(lambda: instance.orders.skips, "the order")
        assert instance.orders.skips == {HELD: SkipTo(7, 9)}
        # The reader takes it, and both offsets move with its next batch.
        del instance.progress.stopped[HELD], instance.orders.skips[HELD]
        instance.progress.committed[HELD] = 9
        state = await closed(database, order)
    assert (state.taken_by, state.outcome, state.answer) == (
        INSTANCE,
        "done",
        "it goes on at offset 9",
    )
    for other in (elsewhere, other_group):
        assert (await skip_state(database, other)) == SkipState(None, None, None)


@pytest.mark.parametrize(
    ("stop", "answer"),
    [
        (replace(STOP, next=8), "it stands at offset 8 now, not at 7"),
        (replace(STOP, cause=StopCause.BRAKE), "it was stopped by the brake"),
    ],
)
async def test_a_skip_of_a_partition_that_is_not_where_the_order_says_is_refused(
    database: Database,
    action: UUID,
    monkeypatch: pytest.MonkeyPatch,
    stop: Stop,
    answer: str,
) -> None:
    instance = Instance()
    instance.progress.stopped[HELD] = stop
    order = await give_skip(database, action, SKIP)
    async with working(database, instance, monkeypatch):
        state = await closed(database, order)
    assert state.outcome == "refused"
    assert (state.answer or "").startswith(answer)
    assert instance.orders.skips == {}


async def test_an_order_whose_partition_has_gone_is_left_to_who_has_it_now(
    database: Database, action: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = Instance()
    async with working(database, instance, monkeypatch):
        order = await give_skip(database, action, SKIP)
        await until(lambda: instance.orders.skips, "the order")
        instance.progress.assigned.clear()
        await until(lambda: not instance.orders.skips, "an order that is given up")
    assert (await skip_state(database, order)).outcome is None


async def test_what_has_stopped_is_told_and_what_a_dead_instance_said_is_removed_by_who_reads_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = StoppedPartition("group", "topic", 1, 5, StopCause.OFFSET_GONE, "long ago")
    unread = replace(said, partition=2)
    await tell_stops(database, "dead", [said, unread], [])
    instance = Instance()
    instance.progress.assigned.add(ELSEWHERE)
    instance.progress.committed[ELSEWHERE] = 5

    async def told() -> list[tuple[int, str, int]]:
        found = await known_stops(database, ["group"])
        return [(one.stop.partition, one.instance, one.stop.next_offset) for one in found]

    async with working(database, instance, monkeypatch):
        expected = [(0, INSTANCE, 7), (2, "dead", 5)]

        async def so() -> bool:
            return await told() == expected

        await until_async(so, "what it tells")


async def test_pauses_are_told_when_they_begin_every_minute_and_when_they_end(
    database: Database,
    action: UUID,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(orders_job, "REMIND_SECONDS", 0.2)
    instance, paused = Instance(), "paused by an operator's order: nothing is read of topic"
    await give_pauses(database, action, ["topic"])
    async with working(database, instance, monkeypatch):
        assert instance.orders.pauses("topic")  # before anything is read
        assert not instance.orders.pauses("another")
        await until(lambda: caplog.messages.count(paused) >= 3, "two reminders")
        await give_pauses(database, action, None)
        await until(lambda: instance.orders.pauses("another"), "a pause of all topics")
        await close_pauses(database, action, None, ["topic"])
        await until(lambda: not instance.orders.pauses("topic"), "the end of the pause")
    assert caplog.messages[-1] == "no topic is paused any more: reading goes on"
