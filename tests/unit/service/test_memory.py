"""What nobody refers to any more goes within a minute, although the collector is calm."""

import asyncio
import gc
import weakref
from collections.abc import Iterator

import pytest

from repositories.postgres.database import Database
from service import memory

NOT_USED = Database("postgresql://nobody@localhost/nothing")


class Knot:
    """A reference cycle."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def calm() -> Iterator[None]:
    """The collector as in `run`, and as before afterwards."""
    before = gc.get_threshold()
    memory.calm_the_garbage_collector()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("calm")
async def test_cycles_are_collected_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "TIDY_SECONDS", 0.2)
    stop = asyncio.Event()
    tidying = asyncio.create_task(memory.tidy_memory(NOT_USED, stop))
    knot, gone = Knot(), asyncio.Event()
    weakref.finalize(knot, gone.set)
    del knot
    assert not gone.is_set()
    async with asyncio.timeout(30):
        await gone.wait()
    stop.set()
    await tidying
