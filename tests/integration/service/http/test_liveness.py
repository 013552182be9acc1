"""`/healthz/live`, asked of a real server while what it watches is blocked, hangs, or waits."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from consumers.supervision import watch
from repositories.postgres.database import Database
from service.http.process import ServedProcess
from service.jobs import every
from service.settings import Settings
from service.watchdog import LOOP, Watchdog
from tests.harness.http import http_client
from tests.harness.waiting import until_async

LOOP_SECONDS, JOB_SECONDS = 1.0, 4.0
LOCK = "SELECT pg_advisory_xact_lock(10)"


@asynccontextmanager
async def _watched(
    url: str, **jobs: Callable[[], Awaitable[object]]
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a process in which these jobs are at work."""
    settings, watchdog = Settings(database_url=SecretStr(url)), Watchdog(LOOP_SECONDS, JOB_SECONDS)
    tasks = [asyncio.create_task(watchdog.feed())]
    for name, work in jobs.items():
        job = every(3600, work, asyncio.Event(), doing=f"doing what {name} does")
        tasks.append(watchdog.pulses.of(name).task(job))
    async with http_client(settings, ServedProcess(settings, watchdog=watchdog)) as client:
        yield client
    for task in tasks:
        task.cancel()


async def test_it_answers_503_while_the_event_loop_is_blocked_and_200_afterwards(
    migrated_url: str,
) -> None:
    async with _watched(migrated_url) as client:
        await until_async(lambda: _alive(client), "the loop to go on")
        url = client.base_url.join("/healthz/live")
        asked = asyncio.get_running_loop().run_in_executor(None, _asked_in_a_moment, str(url))
        time.sleep(4)  # noqa: ASYNC251  # it is what blocks the loop
        answer = await asked
        assert answer.status_code == 503
        [why] = answer.json()["why"]
        assert why["who"] == LOOP
        assert why["doing"].rpartition(":")[0] == __file__  # where it sleeps
        await until_async(lambda: _alive(client), "the loop to go on")


async def _alive(client: httpx.AsyncClient) -> bool:
    return (await client.get("/healthz/live")).status_code == 200


def _asked_in_a_moment(url: str) -> httpx.Response:
    time.sleep(2 * LOOP_SECONDS)  # for the loop to have been blocked for long enough
    return httpx.get(url, trust_env=False)


async def test_a_job_that_hangs_is_named_and_one_that_waits_for_a_lock_is_none(
    migrated_url: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", JOB_SECONDS / 10)
    monkeypatch.setattr(watch, "LONG_SECONDS", JOB_SECONDS / 10)

    async def locking() -> None:
        async with database.transaction() as connection:
            await connection.execute(text(LOCK))

    async def hanging_in_a_transaction() -> None:
        async with database.transaction():
            await asyncio.Event().wait()

    somebody = await asyncpg.connect(migrated_url)
    async with somebody.transaction():
        await somebody.execute(LOCK)
        jobs = {"locking": locking, "hanging": hanging_in_a_transaction}
        async with _watched(migrated_url, **jobs) as client:

            async def stuck() -> list[dict[str, str]]:
                answer = await client.get("/healthz/live")
                return answer.json()["why"] if answer.status_code == 503 else []

            await until_async(stuck, "503")
            await asyncio.sleep(JOB_SECONDS)  # more than the other could be silent unnoticed
            [one] = await stuck()
            assert (one["who"], one["doing"]) == ("hanging", "doing what hanging does")
            status = (await client.get("/healthz/status")).json()
            assert {one["who"] for one in status["at_work"]} == {LOOP, "locking", "hanging"}
    await somebody.close()
