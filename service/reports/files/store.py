"""Where the encrypted files of reports lie: a local folder or an S3-compatible bucket.

A file is there whole or not at all, and is never overwritten. See `locations` for the URLs.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import obstore
from obstore.store import ObjectStore

from service.reports.files import local
from service.reports.files.errors import FileExists, FileMissing
from service.reports.files.faults import store_faults
from service.reports.files.upload import upload

# Files are read in ranges, so that a slow client holds no connection to the store open.
_RANGE_BYTES = 4 * 1024 * 1024


class StoredFile(NamedTuple):
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

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """The file in pieces of a few MiB. Raises FileMissing."""
        size = await self._size(key)
        for start in range(0, size, _RANGE_BYTES):
            end = min(start + _RANGE_BYTES, size)
            with store_faults(key):
                piece = await obstore.get_range_async(self._objects, key, start=start, end=end)
            yield bytes(piece)

    async def delete(self, key: str) -> None:
        """A file that is already gone is fine."""
        try:
            with store_faults(key):
                await obstore.delete_async(self._objects, key)
        except FileMissing:
            return

    async def list(self, prefix: str) -> AsyncIterator[StoredFile]:
        """The complete files in and below a folder such as `reports`, in no order."""
        with store_faults(prefix):
            async for page in obstore.list(self._objects, prefix):
                for found in page:
                    yield StoredFile(found["path"], found["last_modified"], found["size"])

    async def sweep(self, older_than: datetime) -> int:
        """Removes what killed uploads left on a local folder and gives how many there were.

        S3 keeps the parts of killed uploads out of sight; a lifecycle rule of the bucket
        (AbortIncompleteMultipartUpload) removes them.
        """
        if self._folder is None:
            return 0
        with store_faults(str(self._folder)):
            return await asyncio.to_thread(local.sweep, self._folder, older_than)

    async def _refuse_overwriting(self, key: str) -> None:
        try:
            await self._size(key)
        except FileMissing:
            return
        raise FileExists(f"{key} is already in the report store; nothing was overwritten")

    async def _size(self, key: str) -> int:
        with store_faults(key):
            found = await obstore.head_async(self._objects, key)
        return found["size"]
