"""What goes wrong with the two servers, and on the way to them."""

import asyncio
import shutil
from random import Random
from typing import Final

import asyncpg

from service.local.stack.postgres import PostgresServer
from tests.harness.rows import connected
from tests.harness.standby import Standby, demote, promote
from tests.harness.waiting import until_async
from tests.reliability.torture.fleet import pause
from tests.reliability.torture.stage import Stage
from tests.reliability.torture.wires import disturb

STATEMENT_SECONDS: Final = 3  # after which the service gives a statement up


async def broker_killed(stage: Stage, rng: Random) -> None:
    """With SIGKILL, or SIGTERM; it comes back."""
    await pause(rng, 0.2, 1)
    await asyncio.to_thread(stage.broker.kill if rng.random() < 0.7 else stage.broker.stop)
    await pause(rng, 0, 2)
    await asyncio.to_thread(stage.broker.start)


async def database_killed(stage: Stage, rng: Random) -> None:
    """The whole server at once, or by its fast shutdown; it comes back."""
    await pause(rng, 0.2, 1)
    await asyncio.to_thread(stage.server.kill if rng.random() < 0.7 else stage.server.stop)
    await pause(rng, 0, 2)
    await asyncio.to_thread(stage.server.start)


async def switched_over(stage: Stage, rng: Random) -> None:
    """The database moves to a standby, and back: each follows the other."""
    standby = Standby(stage.server.workspace, stage.server)
    await asyncio.to_thread(standby.start)
    await _switch(stage, stage.server, standby, rng)
    await pause(rng, 1, 3)
    await _switch(stage, standby, stage.server, rng)
    await asyncio.to_thread(standby.stop)
    shutil.rmtree(standby.folder)


async def _switch(stage: Stage, old: PostgresServer, new: PostgresServer, rng: Random) -> None:
    """In good order: a primary that ends waits until its standby has everything. Clients find the
    former primary, which takes no writes any more, for a while, and then the new one."""
    wired = stage.wires["PostgreSQL"]

    async def is_followed() -> bool:
        connection = await asyncpg.connect(old.url)
        try:
            streams = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
            return bool(await connection.fetchval(streams))
        finally:
            await connection.close()

    await until_async(is_followed, "the standby to follow")
    await asyncio.to_thread(old.stop)
    await asyncio.to_thread(promote, new)
    await asyncio.to_thread(demote, old, new)
    await pause(rng, 0, 1)
    wired.target = new.port
    wired.cut()


async def connections_cut(stage: Stage, rng: Random) -> None:
    """Every connection to the database, again and again."""
    async with connected(stage.deployment) as connection:
        for _ in range(6):
            await pause(rng, 0.1, 0.6)
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


async def locks_held(stage: Stage, rng: Random) -> None:
    """A table is locked for longer than the service lets a statement take."""
    table = rng.choice(("claims", "analytics_cache", "consumer_offsets", "report_jobs", "outbox"))
    async with connected(stage.deployment) as connection, connection.transaction():
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        # The fault itself: it lasts until statements have been given up.
        await asyncio.sleep(STATEMENT_SECONDS + rng.uniform(0, 2))


async def network_disturbed(stage: Stage, rng: Random) -> None:
    """Between the service and one of its servers, or both at once."""
    wires = rng.sample(sorted(stage.wires), rng.choice((1, 1, 2)))
    await asyncio.gather(*(disturb(stage.wires[one], rng) for one in wires))
