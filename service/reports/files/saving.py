"""A downloaded report as a local file: there whole, or not at all."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


async def save(pieces: AsyncIterator[bytes], out: Path) -> int:
    """Writes `out`, readable by this user alone, and gives its size in bytes.

    An error of `pieces` leaves no file, or the one that was there before as it was.
    """
    size = 0
    with _appearing(out) as file:
        async for piece in pieces:
            await asyncio.to_thread(file.write, piece)
            size += len(piece)
    return size


@contextmanager
def _appearing(out: Path) -> Iterator[BinaryIO]:
    """A file beside `out` that takes its name at the end, and goes on an error."""
    handle, name = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(name).replace(out)
    except BaseException:  # a cancellation too leaves no half file; raised on
        Path(name).unlink(missing_ok=True)
        raise
