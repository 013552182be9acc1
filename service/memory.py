"""What a process that runs for months does about its memory."""

import asyncio
import ctypes
import gc
from contextlib import suppress

from consumers.engine.retry import set_within
from repositories.postgres.database import Database

TIDY_SECONDS = 60.0


def calm_the_garbage_collector() -> None:
    """Look for reference cycles rarely: batches make many objects and no cycles.

    At Python's defaults the search takes a quarter of this process's time in a backlog
    (docs/performance.md). What is loaded by now stays, so it is never searched again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)


async def tidy_memory(_: Database, stop: asyncio.Event) -> None:
    """A job: cycles of reports and requests, for which the calm collector would not come for an
    hour, are collected each minute, and pages that are free go back to the system.

    Both take 20 to 35 ms of CPU. Without it what is in use stays the same while the process grows
    by 20 MB an hour (docs/reliability.md).
    """
    while not await set_within(stop, TIDY_SECONDS):
        gc.collect()
        with suppress(AttributeError):  # glibc alone has it, and others need it less
            ctypes.CDLL(None).malloc_trim(0)
