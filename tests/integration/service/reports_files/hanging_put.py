"""A process that is to be killed in the middle of an upload: `python -m … URL KEY`."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator

from service.reports.files.locations import open_store


async def _endless() -> AsyncGenerator[bytes]:
    for _ in range(13):
        yield os.urandom(1024 * 1024)
    sys.stdout.write("midway\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


async def _put(url: str, key: str) -> None:
    await open_store(url).put(key, _endless())


if __name__ == "__main__":
    asyncio.run(_put(sys.argv[1], sys.argv[2]))
