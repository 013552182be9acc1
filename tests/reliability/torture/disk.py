"""A PostgreSQL on a disk of its own, and what it does when that is full."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final

import asyncpg

from service.local.stack.postgres import PostgresServer
from service.local.stack.workspace import Workspace
from tests.harness.waiting import until_async
from tests.reliability.torture.fleet import pause
from tests.reliability.torture.stage import NotHere, Stage

WHOLE: Final = 8 * 1024**3  # bytes; memory is taken for what is in use alone
MOST_FILES: Final = 200  # of the log, that the server may have in reserve
GONE: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
SCANT: Final = 1024**2  # that are left when it is as good as full


@contextmanager
def postgres_on_a_disk() -> Iterator[PostgresServer]:
    """Its workspace is a file system in memory, of which the size can be changed; where this user
    may not mount one, it is a folder as usual, and the disk is never full."""
    with Workspace() as workspace:
        is_mounted = _mount(workspace.folder)
        try:
            server = PostgresServer(workspace)
            server.start()
            yield server
            server.stop()
        finally:
            if is_mounted:
                subprocess.run(["umount", "--lazy", workspace.folder], check=True)


async def disk_filled(stage: Stage, rng: Random) -> None:
    """The database has no room for a while: for its rows, its log or both, of which the last ends
    the server."""
    disk = stage.server.workspace.folder
    if not disk.is_mount():
        raise NotHere("a disk that can be filled takes root, to mount it")
    await stage.fleet.at_work()
    await pause(rng, 0, 1)
    _resize(disk, shutil.disk_usage(disk).used + SCANT)
    if rng.random() < 0.5:
        await _use_up_the_log(stage.server.url)
    await pause(rng, 2, 5)
    _resize(disk, WHOLE)

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


def _mount(folder: Path) -> bool:
    options = f"size={WHOLE},mode={folder.stat().st_mode & 0o777:o}"
    command = ("mount", "-t", "tmpfs", "-o", options, "torture", folder)
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:  # no such program
        return False


def _resize(disk: Path, size: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)
