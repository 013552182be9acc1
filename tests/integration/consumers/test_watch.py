"""What statements that take long wait for, as PostgreSQL itself tells it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from sqlalchemy import text

from consumers.engine.retry import RetryPolicy, until_it_succeeds
from consumers.supervision import watch
from repositories.postgres.database import Database
from tests.harness.waiting import until
from tests.servers import migrate

LOCK = "SELECT pg_advisory_xact_lock(7)"


@pytest.fixture
def told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(watch, "PATIENCE_SECONDS", 0.2)
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[Database]:
    migrate(postgres)
    database = Database(postgres, pool_size=2)
    yield database
    await database.close()


async def test_a_wait_for_a_lock_names_who_keeps_it_and_how_to_end_that(
    told: pytest.LogCaptureFixture, database: Database, postgres: str
) -> None:
    somebody = await asyncpg.connect(postgres, server_settings={"application_name": "a person"})
    async with somebody.transaction():
        await somebody.execute(LOCK)
        working = asyncio.create_task(_work(_executing(database, LOCK)))
        await until(lambda: told.records, "a line about the wait")
    await working
    keeper = f"PID {somebody.get_server_pid()} (a person, idle in transaction)"
    await somebody.close()
    waited, recovered = told.messages
    assert waited.startswith("working has waited 0 s for a lock that")
    assert keeper in waited
    assert recovered.startswith("recovered after")
    assert recovered.endswith("s: working")


async def test_a_statement_that_is_merely_long_is_no_fault(
    told: pytest.LogCaptureFixture, database: Database
) -> None:
    await _work(_executing(database, "SELECT pg_sleep(0.8)"))
    [line] = told.records
    assert line.levelname == "INFO"
    assert "PostgreSQL, which is at work on it (Timeout PgSleep)" in line.message


async def test_a_transaction_that_waits_for_this_process_is_not_told(
    told: pytest.LogCaptureFixture, database: Database
) -> None:
    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1"))
            await asyncio.sleep(0.8)  # longer than the patience that `told` leaves it

    await _work(work)
    assert told.messages == []


async def test_a_pool_that_is_used_up_is_not_blamed_on_the_server(
    told: pytest.LogCaptureFixture, database: Database
) -> None:
    async with database.transaction(), database.transaction():
        working = asyncio.create_task(_work(_executing(database, "SELECT 1")))
        await until(lambda: told.records, "a line about the wait")
    await working
    assert "for PostgreSQL: all connections are taken" in told.messages[0]


def _executing(database: Database, statement: str) -> Callable[[], Awaitable[None]]:
    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute(text(statement))

    return work


async def _work(work: Callable[[], Awaitable[None]]) -> None:
    await until_it_succeeds(work, "working", RetryPolicy())
