"""Several things at once, until one of them ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any

STOP_SECONDS = 5.0  # a client whose server is gone can take a minute to give up


async def first_of(*works: Coroutine[Any, Any, object]) -> None:
    """Run all until the first ends; then cancel the others, and raise its error if it had one."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancelled(*tasks)
    for task in done:
        task.result()


async def cancelled(*tasks: asyncio.Task[Any]) -> None:
    """Cancel, and wait for the end, but not for long; what these tasks raise is passed over."""
    for task in tasks:
        task.cancel()
    ended, _ = await asyncio.wait(tasks, timeout=STOP_SECONDS)
    await asyncio.gather(*ended, return_exceptions=True)
