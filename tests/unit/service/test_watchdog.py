"""Who is stuck, and who only waits: a blocked event loop, a job that hangs, long work."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import cast

import pytest

from consumers.supervision.pulse import beat, resting
from repositories.postgres.database import Database
from service.heartbeat import heartbeat_job
from service.jobs import every
from service.watchdog import LOOP, Watchdog
from tests.harness.waiting import until

LOOP_SECONDS, JOB_SECONDS = 1.0, 1.2
NO_DATABASE = cast(Database, None)


class Watched(Watchdog):
    """One that is fed, with jobs that work once and then pause for long."""

    def __init__(self) -> None:
        super().__init__(LOOP_SECONDS, JOB_SECONDS)
        self.tasks = [asyncio.create_task(self.feed())]

    def job(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        job = every(3600, work, asyncio.Event(), doing="testing")
        self.tasks.append(self.pulses.of(name).task(job))

    def names_of_stuck(self) -> list[str]:
        return [silence.name for silence in self.stuck()]


@pytest.fixture
async def watchdog() -> AsyncIterator[Watched]:
    watchdog = Watched()
    yield watchdog
    for task in watchdog.tasks:
        task.cancel()


async def test_an_event_loop_that_is_blocked_is_stuck_until_it_goes_on_and_no_job_is_blamed(
    watchdog: Watched,
) -> None:
    watchdog.job("busy", asyncio.Event().wait)
    await asyncio.sleep(0)  # the job begins

    def look() -> list[str]:
        time.sleep(2 * JOB_SECONDS)  # a thread's own
        return watchdog.names_of_stuck()

    looking = asyncio.get_running_loop().run_in_executor(None, look)
    time.sleep(3 * JOB_SECONDS)  # noqa: ASYNC251  # it is what blocks the loop
    assert await looking == [LOOP]
    await until(lambda: not watchdog.stuck(), "the loop to go on")


async def test_a_job_that_hangs_is_stuck_and_named_with_what_it_was_doing(
    watchdog: Watched,
) -> None:
    watchdog.job("hanging", asyncio.Event().wait)
    await until(watchdog.stuck, "a job that is stuck")
    [silence] = watchdog.stuck()
    assert (silence.name, silence.doing) == ("hanging", "testing")


async def test_a_pause_is_no_silence_nor_is_long_work_that_beats(watchdog: Watched) -> None:
    async def soon_done() -> None: ...

    async def long_work() -> None:
        while True:
            await asyncio.sleep(JOB_SECONDS / 4)  # within its patience
            beat()

    async def waiting_for_kafka() -> None:
        with resting():
            await asyncio.Event().wait()

    for work in (soon_done, long_work, waiting_for_kafka):
        watchdog.job(work.__name__, work)
    watchdog.job("hanging", asyncio.Event().wait)
    await until(watchdog.stuck, "the one job that is stuck")
    await asyncio.sleep(JOB_SECONDS)  # more than the others could be silent without notice
    assert watchdog.names_of_stuck() == ["hanging"]


async def test_the_heartbeat_file_tells_the_same(watchdog: Watched, tmp_path: Path) -> None:
    stop, file = asyncio.Event(), tmp_path / "beat"
    watchdog.job("hanging", asyncio.Event().wait)
    await until(watchdog.stuck, "a job that is stuck")
    job = heartbeat_job(file, watchdog)
    file.unlink()
    beating = asyncio.create_task(job(NO_DATABASE, stop))
    await asyncio.sleep(LOOP_SECONDS)  # it touches it at once, or not at all
    assert not file.exists()
    stop.set()
    await beating
