"""Who is stuck, and who only waits: a blocked event loop, a job that hangs, long work."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from consumers.engine.pulse import beat, resting
from repositories.postgres.database import Database
from service.heartbeat import heartbeat_job
from service.jobs import every
from service.watchdog import LOOP, Watchdog
from tests.harness.waiting import until

LOOP_SECONDS, JOB_SECONDS = 0.4, 1.2
NO_DATABASE = cast(Database, None)


@pytest.fixture
async def watchdog() -> AsyncIterator[Watchdog]:
    watchdog = Watchdog(LOOP_SECONDS, JOB_SECONDS)
    feeding = asyncio.create_task(watchdog.feed())
    yield watchdog
    feeding.cancel()


async def test_an_event_loop_that_is_blocked_is_stuck_until_it_goes_on_and_no_job_is_blamed(
    watchdog: Watchdog,
) -> None:
    _job(watchdog, "busy", asyncio.Event().wait)
    await asyncio.sleep(0)  # the job begins

    def look() -> list[str]:
        time.sleep(2 * JOB_SECONDS)  # a thread's own
        return _stuck(watchdog)

    looking = asyncio.get_running_loop().run_in_executor(None, look)
    time.sleep(3 * JOB_SECONDS)  # noqa: ASYNC251  # it is what blocks the loop
    assert await looking == [LOOP]
    assert _stuck(watchdog) == []


async def test_a_job_that_hangs_is_stuck_and_named_with_what_it_was_doing(
    watchdog: Watchdog,
) -> None:
    _job(watchdog, "hanging", asyncio.Event().wait)
    await until(watchdog.stuck, "a job that is stuck")
    [silence] = watchdog.stuck()
    assert (silence.name, silence.doing) == ("hanging", "testing")


async def test_a_pause_is_no_silence_nor_is_long_work_that_beats(watchdog: Watchdog) -> None:
    async def soon_done() -> None: ...

    async def long_work() -> None:
        while True:
            await asyncio.sleep(JOB_SECONDS / 4)
            beat()

    async def waiting_for_kafka() -> None:
        with resting():
            await asyncio.Event().wait()

    for work in (soon_done, long_work, waiting_for_kafka):
        _job(watchdog, work.__name__, work)
    _job(watchdog, "hanging", asyncio.Event().wait)
    await until(watchdog.stuck, "the one job that is stuck")
    await asyncio.sleep(JOB_SECONDS)  # more than the others could be silent without notice
    assert _stuck(watchdog) == ["hanging"]


async def test_the_heartbeat_file_tells_the_same(watchdog: Watchdog, tmp_path: Path) -> None:
    stop, file = asyncio.Event(), tmp_path / "beat"
    _job(watchdog, "hanging", asyncio.Event().wait)
    await until(watchdog.stuck, "a job that is stuck")
    job = heartbeat_job(file, watchdog)
    file.unlink()
    beating = asyncio.create_task(job(NO_DATABASE, stop))
    await asyncio.sleep(LOOP_SECONDS)  # it touches it at once, or not at all
    assert not file.exists()
    stop.set()
    await beating


def _job(watchdog: Watchdog, name: str, work: Callable[[], Awaitable[object]]) -> None:
    """One that works once, and then pauses for long."""
    job = every(3600, work, asyncio.Event(), doing="testing")
    watchdog.pulses.of(name).task(job)


def _stuck(watchdog: Watchdog) -> list[str]:
    return [silence.name for silence in watchdog.stuck()]
