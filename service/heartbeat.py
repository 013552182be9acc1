"""A file that is touched while the process is alive: for health checks of containers.

A consumer or job that cannot go on ends the process, so what is left to be noticed from outside is
an event loop that is stuck. Waiting for a database or a broker that is away is being alive.
"""

import asyncio
from pathlib import Path

from consumers.waiting import set_within
from repositories.database import Database
from service.jobs import Job

EVERY_SECONDS = 5.0


def heartbeat_job(file: Path) -> Job:
    """Touches `file` every few seconds, and removes it at the end."""

    async def beat(_database: Database, stop: asyncio.Event) -> None:
        try:
            await asyncio.to_thread(file.touch)
            while not await set_within(stop, EVERY_SECONDS):
                await asyncio.to_thread(file.touch)
        finally:
            await asyncio.to_thread(file.unlink, missing_ok=True)

    return beat
