"""The buffer between reader and applier: when a batch goes, and who waits."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

import pytest
from aiokafka import TopicPartition

from consumers.engine.intake import BatchPolicy, Chunk, Intake

PARTITION = TopicPartition("topic", 0)
AT_ONCE, NEVER = 0.0, 3_600.0  # seconds of linger
SOON = 10.0

T = TypeVar("T")

full_at_three = pytest.mark.parametrize(
    "policy",
    [BatchPolicy(3, 10**6, NEVER), BatchPolicy(10**6, 30, NEVER)],
    ids=["by events", "by bytes"],
)


def chunk(events: int = 1, size: int = 0) -> Chunk[str]:
    return Chunk(PARTITION, 0, events, ["event"] * events, verdicts=bytes(events), size=size)


async def soon(work: Awaitable[T]) -> T:
    return await asyncio.wait_for(work, SOON)


async def is_waiting(task: asyncio.Task[Any]) -> bool:
    """Whether it still waits after everybody had their turn."""
    for _ in range(10):
        await asyncio.sleep(0)  # turns in which it would end
    return not task.done()


@full_at_three
async def test_a_full_batch_goes_without_lingering(policy: BatchPolicy) -> None:
    intake = Intake[str](policy)
    await intake.put(chunk(events=2, size=20))
    taking = asyncio.create_task(intake.take())
    assert await is_waiting(taking)
    await intake.put(chunk(events=1, size=10))
    assert len(await soon(taking)) == 3


async def test_an_old_batch_goes_as_it_is() -> None:
    intake = Intake[str](BatchPolicy(1_000, 10**6, 0.01))
    await intake.put(chunk(events=2))
    assert len(await soon(intake.take())) == 2


async def test_while_behind_another_linger_counts() -> None:
    intake = Intake[str](BatchPolicy(1_000, 10**6, AT_ONCE, backlog_linger_seconds=NEVER))
    intake.behind = True
    await intake.put(chunk(events=2))
    taking = asyncio.create_task(intake.take())
    assert await is_waiting(taking)
    intake.behind = False
    await intake.put(chunk(events=1))
    assert len(await soon(taking)) == 3


async def test_a_batch_goes_when_the_linger_of_a_backlog_is_over() -> None:
    intake = Intake[str](BatchPolicy(1_000, 10**6, NEVER, backlog_linger_seconds=0.01))
    intake.behind = True
    await intake.put(chunk(events=2))
    assert len(await soon(intake.take())) == 2


async def test_nothing_is_taken_while_there_is_nothing() -> None:
    intake = Intake[str](BatchPolicy(1, 1, AT_ONCE))
    taking = asyncio.create_task(intake.take())
    assert await is_waiting(taking)
    await intake.put(chunk())
    assert len(await soon(taking)) == 1


async def test_an_empty_chunk_makes_a_batch_too() -> None:
    intake = Intake[str](BatchPolicy(1_000, 10**6, AT_ONCE))
    await intake.put(chunk(events=0))
    batch = await soon(intake.take())
    assert len(batch) == 0
    assert batch.next_offsets == {PARTITION: 0}


@full_at_three
async def test_who_puts_waits_while_the_batch_at_hand_is_full(policy: BatchPolicy) -> None:
    intake = Intake[str](policy)
    await intake.put(chunk(events=3, size=30))
    putting = asyncio.create_task(intake.put(chunk(events=2, size=20)))
    assert await is_waiting(putting)
    assert len(await soon(intake.take())) == 3
    await soon(putting)


async def test_the_next_batch_fills_while_one_is_applied() -> None:
    intake = Intake[str](BatchPolicy(2, 10**6, NEVER))
    await intake.put(chunk(events=2))
    await soon(intake.take())
    await soon(intake.put(chunk(events=2)))
    assert len(await soon(intake.take())) == 2


async def test_what_was_cleared_is_not_taken() -> None:
    intake = Intake[str](BatchPolicy(2, 10**6, AT_ONCE))
    await intake.put(chunk(events=1))
    await intake.clear()
    taking = asyncio.create_task(intake.take())
    assert await is_waiting(taking)
    taking.cancel()


async def test_clearing_makes_room_for_who_waits() -> None:
    intake = Intake[str](BatchPolicy(1, 10**6, NEVER))
    await intake.put(chunk(events=1))
    putting = asyncio.create_task(intake.put(chunk(events=1)))
    assert await is_waiting(putting)
    await intake.clear()
    await soon(putting)
