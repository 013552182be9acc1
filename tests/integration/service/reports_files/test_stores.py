"""What every store must do."""

import asyncio
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta

import pytest

from service.reports.files.file_errors import FileDamaged, FileExists, FileMissing
from service.reports.files.keys import Keyring, new_master_key
from service.reports.files.report_files import read_report, write_report
from service.reports.files.store import FileStore
from tests.integration.service.reports_files.killing import kill_in_the_middle
from tests.unit.service.reports_files.streams import broken_stream, collect, stream

KEY = "reports/11111111-1111-4111-8111-111111111111/22222222-2222-4222-8222-222222222222.1.csv.enc"
MB = 1024 * 1024


async def keys(store: FileStore, prefix: str = "reports") -> set[str]:
    return {file.key async for file in store.list(prefix)}


@pytest.mark.parametrize("size", [0, 1, 5 * MB, 5 * MB + 1, 13 * MB])
async def test_what_was_put_comes_back(store: FileStore, size: int) -> None:
    content = os.urandom(size)

    assert await store.put(KEY, stream(content)) == size

    assert await collect(store.get(KEY)) == content


async def test_a_file_is_listed_with_its_size_and_time(store: FileStore) -> None:
    await store.put(KEY, stream(b"x" * 1000))

    (listed,) = [file async for file in store.list("reports")]

    assert (listed.key, listed.size) == (KEY, 1000)
    assert abs(listed.modified - datetime.now(UTC)) < timedelta(minutes=5)


async def test_only_what_is_below_a_folder_is_listed(store: FileStore) -> None:
    for key in ("reports/a/1", "reports/a/2", "reports/b/1", "reports2/a/1"):
        await store.put(key, stream(b"x"))

    assert await keys(store, "reports/a") == {"reports/a/1", "reports/a/2"}
    assert await keys(store) == {"reports/a/1", "reports/a/2", "reports/b/1"}


async def test_more_files_than_a_page_are_listed(store: FileStore) -> None:
    for number in range(120):
        await store.put(f"reports/a/{number}", stream(b"x"))

    assert len(await keys(store)) == 120


async def test_a_folder_that_is_not_there_lists_nothing(store: FileStore) -> None:
    assert await keys(store) == set()


async def test_nothing_is_overwritten(store: FileStore) -> None:
    await store.put(KEY, stream(b"first"))

    with pytest.raises(FileExists, match="already in the report store"):
        await store.put(KEY, stream(b"second"))

    assert await collect(store.get(KEY)) == b"first"


async def test_a_file_that_is_not_there_is_missing(store: FileStore) -> None:
    with pytest.raises(FileMissing, match="is not in the report store"):
        await collect(store.get(KEY))


async def test_a_deleted_file_is_gone_and_may_be_deleted_again(store: FileStore) -> None:
    await store.put(KEY, stream(b"x"))

    await store.delete(KEY)
    await store.delete(KEY)

    assert await keys(store) == set()


async def test_a_file_that_was_moved_is_there_under_its_new_name_alone(store: FileStore) -> None:
    await store.put(KEY, stream(b"x"))
    target = f"quarantine/2026-01-31/{KEY}"

    assert await store.move(KEY, target)
    assert not await store.move(KEY, target)

    assert (await store.exists(KEY), await store.exists(target)) == (False, True)
    assert await collect(store.get(target)) == b"x"
    assert not await store.is_empty()


async def test_a_store_with_a_marker_alone_is_empty(store: FileStore) -> None:
    await store.replace("installation.json", b"one")
    await store.replace("installation.json", b"another")

    assert await collect(store.get("installation.json")) == b"another"
    assert await store.is_empty()


@pytest.mark.parametrize("size", [0, 100, 13 * MB])
@pytest.mark.parametrize("kind", [RuntimeError, FileNotFoundError, PermissionError])
async def test_a_source_that_fails_leaves_nothing(
    store: FileStore, size: int, kind: type[Exception]
) -> None:
    error = kind("the source broke")

    with pytest.raises(kind) as raised:
        await store.put(KEY, broken_stream(os.urandom(size), error))

    assert raised.value is error
    assert await keys(store) == set()
    await store.put(KEY, stream(b"another try"))


async def hanging(reached: asyncio.Event, closed: asyncio.Event) -> AsyncGenerator[bytes]:
    """Thirteen megabytes, and then nothing more comes."""
    try:
        async for chunk in stream(os.urandom(13 * MB)):
            yield chunk
        reached.set()
        await asyncio.Event().wait()
    finally:
        closed.set()


async def test_nobody_sees_a_file_before_it_is_complete(store: FileStore) -> None:
    reached, closed = asyncio.Event(), asyncio.Event()
    putting = asyncio.create_task(store.put(KEY, hanging(reached, closed)))
    await asyncio.wait_for(reached.wait(), 30)

    listed = await keys(store)
    with pytest.raises(FileMissing):
        await collect(store.get(KEY))

    putting.cancel()
    await asyncio.wait([putting])
    assert listed == set()


async def test_a_cancelled_upload_ends_its_source_and_leaves_nothing(store: FileStore) -> None:
    reached, closed = asyncio.Event(), asyncio.Event()
    putting = asyncio.create_task(store.put(KEY, hanging(reached, closed)))
    await asyncio.wait_for(reached.wait(), 30)

    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting

    assert closed.is_set()
    assert await keys(store) == set()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def failing_when_cancelled(reached: asyncio.Event) -> AsyncGenerator[bytes]:
    yield b"x"
    reached.set()
    try:
        await asyncio.Event().wait()
    finally:
        raise RuntimeError("the source broke while it was closed")


async def test_a_source_that_fails_on_cancellation_does_not_hide_it(store: FileStore) -> None:
    reached = asyncio.Event()
    putting = asyncio.create_task(store.put(KEY, failing_when_cancelled(reached)))
    await asyncio.wait_for(reached.wait(), 30)

    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting

    assert await keys(store) == set()


async def test_a_killed_upload_leaves_nothing_visible(store: FileStore, store_url: str) -> None:
    await asyncio.to_thread(kill_in_the_middle, store_url, KEY)

    assert await keys(store) == set()
    await store.put(KEY, stream(b"another try"))
    assert await collect(store.get(KEY)) == b"another try"


@pytest.mark.parametrize("size", [0, 1, MB - 56, MB, 13 * MB])
async def test_a_report_comes_back_as_it_was_written(store: FileStore, size: int) -> None:
    keyring = Keyring.parse(new_master_key(datetime.now(UTC).date()))
    report = os.urandom(size)

    written = await write_report(store, keyring, KEY, stream(report))

    assert written.size_bytes == size
    assert [file.size async for file in store.list("reports")] == [written.stored_bytes]
    assert await collect(read_report(store, keyring, KEY, written.key)) == report


async def test_a_report_lies_encrypted(store: FileStore) -> None:
    keyring = Keyring.parse(new_master_key(datetime.now(UTC).date()))

    await write_report(store, keyring, KEY, stream(b"123456789," * 1000))

    assert b"123456789" not in await collect(store.get(KEY))


async def test_a_report_whose_rows_fail_is_not_written(store: FileStore) -> None:
    keyring = Keyring.parse(new_master_key(datetime.now(UTC).date()))
    rows = broken_stream(os.urandom(13 * MB), RuntimeError("the rows broke"))

    with pytest.raises(RuntimeError, match="the rows broke"):
        await write_report(store, keyring, KEY, rows)

    assert await keys(store) == set()


async def test_a_file_that_no_report_was_written_to_is_refused(store: FileStore) -> None:
    keyring = Keyring.parse(new_master_key(datetime.now(UTC).date()))
    written = await write_report(store, keyring, KEY, stream(b"report"))
    await store.delete(KEY)
    await store.put(KEY, stream(b"something else" * 100))

    with pytest.raises(FileDamaged):
        await collect(read_report(store, keyring, KEY, written.key))
