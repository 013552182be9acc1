"""A PostgreSQL on a disk of its own, and what it does when that is full."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Final

import asyncpg

from service.local.stack.postgres import PostgresServer
from tests.harness.waiting import until_async
from tests.reliability.torture.fleet import pause
from tests.reliability.torture.mounted import WHOLE, mounted_workspace, resize
from tests.reliability.torture.stage import NotHere, Stage

MOST_FILES: Final = 200  # of the log, that the server may have in reserve
GONE: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
SCANT: Final = 1024**2  # bytes that are left when it is as good as full


@contextmanager
def postgres_on_a_disk() -> Iterator[PostgresServer]:
    """As `servers.own_postgres`, on a disk that may become full."""
    with mounted_workspace() as workspace:
        server = PostgresServer(workspace)
        server.start()
        yield server
        server.stop()


async def disk_filled(stage: Stage, rng: Random) -> None:
    """The database has no room for a while: for its rows, its log or both, of which the last ends
    the server."""
    disk = stage.server.workspace.folder
    if not disk.is_mount():
        raise NotHere("a disk that can be filled takes root, to mount it")
    await stage.fleet.at_work()
    await pause(rng, 0, 1)
    resize(disk, shutil.disk_usage(disk).used + SCANT)
    if rng.random() < 0.5:
        await _use_up_the_log(stage.server.url)
    await pause(rng, 2, 5)
    resize(disk, WHOLE)

    async def is_back() -> bool:
        if not stage.server.running:
            await asyncio.to_thread(stage.server.start)
        with suppress(*GONE):
            await (await asyncpg.connect(stage.server.url)).close()
            return True
        return False

    await until_async(is_back, "the database to recover")


async def _use_up_the_log(url: str) -> None:
    """Begin one file of the write-ahead log after the other, until the server ends over it."""
    with suppress(*GONE):
        connection = await asyncpg.connect(url)
        for _ in range(MOST_FILES):
            await connection.execute(
                "SELECT pg_logical_emit_message(true, 'torture', ''), pg_switch_wal()"
            )
