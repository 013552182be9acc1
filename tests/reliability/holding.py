"""Holding the process at a certain point of its work, from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.harness.deployment import Deployment
from tests.harness.rows import connected
from tests.harness.waiting import until_async

WAITED_FOR = """
    SELECT count(DISTINCT relation) FROM pg_locks
    WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND relation = ANY ($1::regclass[]) AND NOT granted
"""


@asynccontextmanager
async def held_inside_the_transaction(deployment: Deployment, *tables: str) -> AsyncIterator[None]:
    """The block runs while for each of the tables, `claims` if none is named, a batch waits in the
    middle of its transaction, its providers locked."""
    held = tables or ("claims",)
    async with connected(deployment) as other, connected(deployment) as observer:

        async def all_are_waited_for() -> bool:
            return bool(await observer.fetchval(WAITED_FOR, held) == len(held))

        async with other.transaction():
            await other.execute(f"LOCK TABLE {', '.join(held)} IN ACCESS EXCLUSIVE MODE")
            await until_async(all_are_waited_for, f"transactions that wait for {held}")
            yield
