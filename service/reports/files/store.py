"""Where the encrypted files of reports lie: a local folder or an S3-compatible bucket.

A file is there whole or not at all, and is never overwritten. See `locations` for the URLs.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore

from service.reports.files import file_errors as errors
from service.reports.files import local

# Files are read in ranges, so that a slow client holds no connection to the store open.
_RANGE_BYTES = 4 * 1024 * 1024
# S3 takes no smaller parts but the last. At most 10,000 of them: files of up to 50 GB.
_PART_BYTES = 5 * 1024 * 1024
_PARTS_AT_ONCE = 2
REPORTS, QUARANTINE = "reports", "quarantine"


@contextmanager
def store_faults(key: str) -> Iterator[None]:
    """Raises FileMissing and StoreUnavailable, without the store's texts: those name hosts."""
    try:
        yield
    except FileNotFoundError:
        raise errors.FileMissing(f"{key} is not in the report store") from None
    except (BaseError, OSError) as error:
        raise errors.StoreUnavailable(
            f"the report store failed for {key} ({type(error).__name__}); "
            "check REPORT_STORAGE_URL, its credentials and the room that is left"
        ) from error


class ListedFile(NamedTuple):
    """A file as the store lists it; `size` is that of the ciphertext, in bytes."""

    key: str
    modified: datetime
    size: int


class FileStore:
    """Every method raises StoreUnavailable when the store does not answer or refuses."""

    def __init__(self, objects: ObjectStore, folder: Path | None = None) -> None:
        """`folder`: the root of `objects`, if they are files of this machine."""
        self._objects = objects
        self._folder = folder

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Stores a new file, which nobody sees before it is complete; gives its size.

        An error of `chunks`, or a cancellation, leaves nothing and is raised again. Raises
        FileExists. Two writers of one key must not run at once, since S3-compatible stores have
        no common way to prevent that: the attempt in the key's name sees to it.
        """
        await self._refuse_overwriting(key)
        if self._folder:
            with store_faults(key):
                await asyncio.to_thread(local.make_private_folders, self._folder, key)
        size = await upload(self._objects, key, chunks)
        if self._folder:
            with store_faults(key):
                await asyncio.to_thread(local.settle, self._folder, key)
        return size

    async def replace(self, key: str, content: bytes) -> None:
        """Stores a small file in place of one that may be there."""
        with store_faults(key):
            await obstore.put_async(self._objects, key, content)
            if self._folder:
                await asyncio.to_thread(local.settle, self._folder, key)

    async def get(self, key: str) -> AsyncIterator[memoryview]:
        """The file in pieces of a few MiB, the next of which is on its way while one is used.
        Raises FileMissing."""
        size = await self._size(key)

        async def fetch(start: int) -> memoryview:
            end = min(start + _RANGE_BYTES, size)
            if start == end:
                return memoryview(b"")
            with store_faults(key):
                piece = await obstore.get_range_async(self._objects, key, start=start, end=end)
            return memoryview(piece)  # a copy would take half as long as the reading

        following = asyncio.create_task(fetch(0))
        try:
            for start in range(0, size, _RANGE_BYTES):
                piece = await following
                following = asyncio.create_task(fetch(min(start + _RANGE_BYTES, size)))
                yield piece
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def delete(self, key: str) -> None:
        """A file that is already gone is fine."""
        try:
            with store_faults(key):
                await obstore.delete_async(self._objects, key)
        except errors.FileMissing:
            return

    async def move(self, key: str, target: str) -> bool:
        """Gives a file another name; False if it is gone, because another has moved it."""
        try:
            with store_faults(key):
                if self._folder:
                    await asyncio.to_thread(local.make_private_folders, self._folder, target)
                await obstore.rename_async(self._objects, key, target)
        except errors.FileMissing:
            return False
        return True

    async def exists(self, key: str) -> bool:
        try:
            await self._size(key)
        except errors.FileMissing:
            return False
        return True

    async def is_empty(self) -> bool:
        """Whether there is no report's file, in quarantine or not."""
        for folder in (REPORTS, QUARANTINE):
            async for _ in self.list(folder):
                return False
        return True

    async def list(self, prefix: str) -> AsyncIterator[ListedFile]:
        """The complete files in and below a folder such as `reports`, in no order."""
        with store_faults(prefix):
            async for page in obstore.list(self._objects, prefix):
                for found in page:
                    yield ListedFile(found["path"], found["last_modified"], found["size"])

    async def sweep(self, older_than: datetime, spared: Collection[str] = ()) -> int:
        """Removes what killed uploads left on a local folder and gives how many there were.

        Uploads of the keys `spared` are left alone: a large one can go unwritten for long, until
        its next part is full.

        S3 keeps the parts of killed uploads out of sight; a lifecycle rule of the bucket
        (AbortIncompleteMultipartUpload) removes them.
        """
        if self._folder is None:
            return 0
        try:
            with store_faults(str(self._folder)):
                return await asyncio.to_thread(local.sweep, self._folder, older_than, spared)
        except errors.FileMissing:  # another cleanup was quicker; the next round sees the rest
            return 0

    async def _refuse_overwriting(self, key: str) -> None:
        if await self.exists(key):
            raise errors.FileExists(
                f"{key} is already in the report store; nothing was overwritten"
            )

    async def _size(self, key: str) -> int:
        with store_faults(key):
            found = await obstore.head_async(self._objects, key)
        return found["size"]


async def upload(objects: ObjectStore, key: str, chunks: AsyncIterator[bytes]) -> int:
    """Gives the size in bytes. The store's errors are ReportFileError; those of `chunks` pass."""
    source = _Source(chunks)
    sending = asyncio.ensure_future(_send(objects, key, source))
    try:
        await asyncio.shield(sending)
    except asyncio.CancelledError:
        # The store must see its source fail, or the parts that it has would stay with it.
        await source.stop()
        await asyncio.gather(sending, return_exceptions=True)
        raise
    except errors.ReportFileError:
        await source.stop()
        if source.failure is not None:
            raise source.failure from None
        raise
    return source.size


async def _send(objects: ObjectStore, key: str, source: "_Source") -> None:
    try:
        with store_faults(key):
            await obstore.put_async(
                objects, key, source, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE
            )
    except errors.FileMissing:
        raise errors.StoreUnavailable(
            "the folder or bucket of the report store is not there; check REPORT_STORAGE_URL"
        ) from None


class _Source:
    """The chunks as the store pulls them, in tasks of its own that a cancellation misses."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self._abandoned = False
        self._pull: asyncio.Task[object] | None = None
        self.failure: Exception | None = None
        self.size = 0

    def __aiter__(self) -> "_Source":
        return self

    async def __anext__(self) -> bytes:
        if self._abandoned:
            raise asyncio.CancelledError
        self._pull = asyncio.current_task()
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            raise
        except Exception as error:  # kept, to be told apart from the store's own; raised on
            self.failure = error
            raise
        finally:
            self._pull = None
        self.size += len(chunk)
        return chunk

    async def stop(self) -> None:
        """No more is pulled; a pull that waits for its chunk is ended."""
        self._abandoned = True
        if self._pull is not None:
            self._pull.cancel()
            await asyncio.wait([self._pull])
