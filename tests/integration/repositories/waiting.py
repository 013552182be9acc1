"""Making transactions meet: locks held by a connection of the test, and who waits for them."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

DEADLINE_SECONDS = 60

OTHERS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid()
"""
WAITING = f"{OTHERS} AND wait_event_type = 'Lock'"
AT_WORK = f"{OTHERS} AND application_name = 'claim-analytics' AND state <> 'idle'"


@asynccontextmanager
async def transaction_of_another(
    url: str, statement: str, *values: object, commit: bool = False
) -> AsyncIterator[None]:
    """Holds the locks of `statement` inside the block; then rolls back or commits."""
    connection = await asyncpg.connect(url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement, *values)
        yield
        await (transaction.commit() if commit else transaction.rollback())
    finally:
        await connection.close()


async def until_waiting(observer: asyncpg.Connection, number: int) -> list[int]:
    """The process ids of the backends that wait for locks, as soon as there are `number`."""
    return await _until(observer, WAITING, number)


async def until_idle(observer: asyncpg.Connection) -> None:
    """Until no backend of the service is in a transaction."""
    await _until(observer, AT_WORK, 0)


async def _until(observer: asyncpg.Connection, statement: str, number: int) -> list[int]:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(pids := [row["pid"] for row in await observer.fetch(statement)]) != number:
        assert time.monotonic() < deadline, f"{len(pids)} backends instead of {number}"
        await asyncio.sleep(0.005)  # a poll: PostgreSQL sends no event
    return pids
