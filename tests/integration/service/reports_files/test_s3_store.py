"""What an S3-compatible store needs beyond what every store does."""

import asyncio
import os
import socket
from datetime import UTC, datetime

import pytest

from service.reports.files.file_errors import StoreUnavailable
from service.reports.files.locations import open_store
from tests.integration.service.reports_files.buckets import Bucket
from tests.integration.service.reports_files.test_stores import KEY, MB, hanging
from tests.unit.service.reports_files.streams import broken_stream, collect, stream


async def test_files_lie_below_the_folder_of_the_url(bucket: Bucket) -> None:
    await open_store(bucket.url).put(KEY, stream(b"x"))

    whole = open_store(bucket.url.replace("/below", ""))

    assert [file.key async for file in whole.list("below")] == [f"below/{KEY}"]


async def test_a_failed_upload_leaves_no_parts_behind(bucket: Bucket) -> None:
    source = broken_stream(os.urandom(13 * MB), RuntimeError("broke"))
    with pytest.raises(RuntimeError, match="broke"):
        await open_store(bucket.url).put(KEY, source)

    assert bucket.unfinished_uploads() == 0


async def test_a_cancelled_upload_leaves_no_parts_behind(bucket: Bucket) -> None:
    reached, closed = asyncio.Event(), asyncio.Event()
    putting = asyncio.create_task(open_store(bucket.url).put(KEY, hanging(reached, closed)))
    await asyncio.wait_for(reached.wait(), 30)
    before = bucket.unfinished_uploads()

    putting.cancel()
    await asyncio.wait([putting])

    assert (before, bucket.unfinished_uploads()) == (1, 0)


async def test_there_is_nothing_to_sweep(bucket: Bucket) -> None:
    assert await open_store(bucket.url).sweep(datetime.now(UTC)) == 0


async def test_a_bucket_that_is_not_there_is_an_unavailable_store(bucket: Bucket) -> None:
    store = open_store(bucket.url.replace("bucket-", "other-"))

    with pytest.raises(StoreUnavailable, match="REPORT_STORAGE_URL"):
        await store.put(KEY, stream(b"x"))


async def test_a_server_that_does_not_answer_is_an_unavailable_store(bucket: Bucket) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = open_store(bucket._replace(endpoint=endpoint).url)

        for doing in (store.put(KEY, stream(b"x")), collect(store.get(KEY)), store.delete(KEY)):
            with pytest.raises(StoreUnavailable) as raised:
                await doing
            assert raised.value.retriable
            assert endpoint not in str(raised.value)
