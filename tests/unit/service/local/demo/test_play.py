"""Several things at once, until one of them ends."""

import asyncio

import pytest

from service.local.demo import play as module
from service.local.demo.play import first_of


async def test_it_ends_with_the_first_and_cancels_the_others() -> None:
    ended: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("endless")

    await first_of(asyncio.sleep(0.01), endless())  # the one that ends first
    assert ended == ["endless"]


async def test_the_error_of_the_first_is_raised() -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await first_of(fail(), asyncio.Event().wait())


async def test_cancelling_it_cancels_all() -> None:
    ended: list[int] = []
    started = asyncio.Barrier(3)

    async def endless(number: int) -> None:
        await started.wait()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    task = asyncio.create_task(first_of(endless(1), endless(2)))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == [1, 2]


async def test_one_that_will_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CANCEL_SECONDS", 0.05)
    let_go = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await let_go.wait()

    async with asyncio.timeout(10):
        await first_of(asyncio.sleep(0.01), stubborn())  # the one that ends first
    let_go.set()
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
