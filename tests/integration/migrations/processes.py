"""Upgrades that run at once: Alembic keeps its state in the process, so each needs its own."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterable

UPGRADE = "import sys; from migrations import commands; commands.upgrade(sys.argv[1])"


async def start_upgrade(url: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-c", UPGRADE, url, stderr=PIPE)


async def finish(upgrades: Iterable[Process]) -> None:
    """Wait for their ends, which must be good ones."""
    for process in upgrades:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
