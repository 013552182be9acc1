"""One streamed upload: the file appears when its source has ended, or never."""

import asyncio
from collections.abc import AsyncIterator

import obstore
from obstore.store import ObjectStore

from service.reports.files.errors import FileMissing, ReportFileError, StoreUnavailable
from service.reports.files.faults import store_faults

# S3 takes no smaller parts but the last. At most 10,000 of them: files of up to 50 GB.
_PART_BYTES = 5 * 1024 * 1024
_PARTS_AT_ONCE = 2


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
    except ReportFileError:
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
    except FileMissing:
        raise StoreUnavailable(
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
