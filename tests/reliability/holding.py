"""Holding the process at a certain point of its work, from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.harness.deployment import Deployment
from tests.harness.rows import connected
from tests.harness.waiting import until_async

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@asynccontextmanager
async def held_inside_the_transaction(deployment: Deployment) -> AsyncIterator[None]:
    """The block runs while a batch waits in the middle of its transaction, its providers locked."""
    async with connected(deployment) as other, connected(deployment) as observer:

        async def someone_waits() -> bool:
            return bool(await observer.fetchval(WAITING))

        async with other.transaction():
            await other.execute("LOCK TABLE claims IN ACCESS EXCLUSIVE MODE")
            await until_async(someone_waits, "a transaction that waits for the lock")
            yield
