"""A file that is touched while the process is alive: for health checks that speak no HTTP.

It tells what `/healthz/live` tells. A consumer or job that cannot go on ends the process, so what
is left to be noticed from outside is a loop or a job that is stuck.
"""

import asyncio
import logging
from contextlib import suppress
from pathlib import Path

from repositories.postgres.database import Database
from service.jobs import Job, every
from service.watchdog import Watchdog

EVERY_SECONDS = 5.0

log = logging.getLogger(__name__)


class HeartbeatFileWrong(Exception):
    """The heartbeat file cannot be written: a health check would restart the service for ever."""


def heartbeat_job(file: Path, watchdog: Watchdog) -> Job:
    """Touches `file` every few seconds while nothing is stuck, and removes it at the end.

    Raises HeartbeatFileWrong if it cannot be touched now. If it cannot be later, that is logged
    and tried again: it is the health check's to judge, and no reason to stop the service.
    """
    try:
        file.touch()
    except OSError as error:
        raise HeartbeatFileWrong(
            f"CLAIM_ANALYTICS_HEARTBEAT_FILE is {file}, which cannot be written"
            f" ({error.strerror}). In a container with a read-only root, mount a tmpfs at its"
            " folder."
        ) from None

    def touch() -> None:
        if watchdog.stuck():
            return
        try:
            file.touch()
        except OSError as error:
            log.warning("the heartbeat file cannot be written (%s): %s", error.strerror, file)

    async def heartbeat(_database: Database, stop: asyncio.Event) -> None:
        try:
            await every(
                EVERY_SECONDS,
                lambda: asyncio.to_thread(touch),
                stop,
                doing="touching the heartbeat file",
            )
        finally:
            with suppress(OSError):  # what cannot be removed grows old, as it should
                await asyncio.to_thread(file.unlink)

    return heartbeat
