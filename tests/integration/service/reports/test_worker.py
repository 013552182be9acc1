"""One worker: what it makes, and what it does about faults and the end of the service."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from repositories.errors import DatabaseUnavailable
from repositories.postgres.database import Database
from repositories.reports.outcomes import finish_job
from service.reports import worker as worker_module
from service.reports.documents import render
from service.reports.files.keys import Keyring
from service.reports.files.store import FileStore
from service.reports.worker import GENERIC
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import apply, paid
from tests.integration.repositories.report_examples import (
    announced,
    claimed,
    end_lease,
    record,
    report_row,
    request,
)
from tests.integration.service.command_line import NOBODY_LISTENS
from tests.integration.service.reports.making import MASTER_KEY, Bench, at_work, ended

PLANTED = "987654321"  # a patient's number that errors quote
CSV = {"format": "CSV"}


def broken_renderer(*_: Any) -> AsyncIterator[bytes]:
    raise RuntimeError(f"no glyph for {PLANTED}")


async def test_a_request_becomes_a_file_that_its_provider_can_download(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    await apply(bench.database, paid(date_of_service="2025-03-04", payment_date="2025-04-01"))
    job = await bench.make(**CSV)
    row = await report_row(observer)
    content = await bench.download()
    assert row["status"] == "ready"
    assert row["file_size_bytes"] == len(content)
    assert b"2025-03-04,03.04A" in content
    assert await bench.files() == [job.file_path]
    assert [one["event_type"] for one in await announced(observer)] == [
        "ca.meritum.report.ready.v1"
    ]


async def test_many_workers_make_each_report_once(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    names = "ABCDEFGH"
    await record(bench.database, *[request(name, **CSV) for name in names])
    async with at_work(bench.worker(), bench.worker(), bench.worker()):
        await ended(observer, len(names))
    rows = [await report_row(observer, name) for name in names]
    assert [(row["status"], row["attempts"]) for row in rows] == [("ready", 1)] * len(names)
    assert await bench.files() == sorted(row["file_path"] for row in rows)
    assert len(await announced(observer)) == len(names)


async def test_a_report_that_cannot_be_made_fails_after_its_tries_without_telling_why(
    bench: Bench,
    observer: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(worker_module, "render", broken_renderer)
    caplog.set_level(logging.DEBUG)
    await record(bench.database, request())
    async with at_work(bench.worker(most_tries=3)):
        await ended(observer)
    row = await report_row(observer)
    [told] = await announced(observer)
    assert (row["status"], row["error_message"], row["tries"]) == ("failed", GENERIC, 3)
    assert row["last_error"] == "RuntimeError"
    assert told["event_type"] == "ca.meritum.report.failed.v1"
    assert caplog.text.count("report failed") == 3
    assert PLANTED not in f"{row} {told} {caplog.text}"
    assert await bench.files() == []


async def test_a_fault_that_passes_is_not_seen_outside(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    renderers = [render, broken_renderer]

    def rendering(*given: Any) -> AsyncIterator[bytes]:
        return renderers.pop()(*given)

    monkeypatch.setattr(worker_module, "render", rendering)
    await record(bench.database, request(**CSV))
    async with at_work(bench.worker()):
        await ended(observer)
    assert (await report_row(observer))["status"] == "ready"
    assert len(await announced(observer)) == 1


async def test_a_report_whose_workers_die_is_given_up_without_being_tried_again(
    bench: Bench, observer: asyncpg.Connection
) -> None:
    await record(bench.database, request())
    for _ in range(2):
        await claimed(bench.database)
        await end_lease(observer)
    async with at_work(bench.worker(most_tries=2)):
        await ended(observer)
    row = await report_row(observer)
    assert (row["status"], row["error_message"]) == ("failed", GENERIC)
    assert row["last_error"] == "worker-died"


async def test_a_lost_answer_to_the_second_commit_leaves_the_report_ready(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "finish_job", _losing_the_first_answer())
    job = await bench.make(**CSV)
    assert (await report_row(observer))["status"] == "ready"
    assert await bench.files() == [job.file_path]
    assert len(await announced(observer)) == 1


async def test_a_worker_that_is_stopped_gives_its_report_back_at_once(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "render", _endless)
    await record(bench.database, request())
    async with at_work(bench.worker(shutdown=0.1)):
        await until_async(lambda: _is_generating(observer), "the report to be begun")
    given_back = await report_row(observer)
    assert (given_back["tries"], given_back["lease_token"]) == (0, None)
    monkeypatch.undo()
    async with at_work(bench.worker()):
        await ended(observer)
    assert (await report_row(observer))["status"] == "ready"


async def test_a_long_report_keeps_its_lease(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = asyncio.Event()

    async def slow(*given: Any) -> AsyncIterator[bytes]:
        await goes_on.wait()
        async for piece in render(*given):
            yield piece

    monkeypatch.setattr(worker_module, "render", slow)
    await record(bench.database, request(**CSV))
    async with at_work(bench.worker(lease=0.6), bench.worker(lease=0.6)):
        await until_async(lambda: _is_generating(observer), "the report to be begun")
        first = (await report_row(observer))["leased_until"]
        await until_async(lambda: _lease_beyond(observer, first), "a lease that was renewed")
        goes_on.set()
        await ended(observer)
    assert (await report_row(observer))["attempts"] == 1


def _losing_the_first_answer() -> Callable[..., Awaitable[bool]]:
    lost = [True]

    async def finish(*given: Any, **named: Any) -> bool:
        finished = await finish_job(*given, **named)
        if lost and lost.pop():
            raise DatabaseUnavailable("the connection was lost")
        return finished

    return finish


async def _endless(*_: Any) -> AsyncIterator[bytes]:
    yield b"begun"
    await asyncio.Event().wait()


async def _is_generating(observer: asyncpg.Connection) -> bool:
    return bool((await report_row(observer))["status"] == "generating")


async def _lease_beyond(observer: asyncpg.Connection, until: Any) -> bool:
    """Far enough beyond for a lease that was not renewed to have been taken over."""
    held = (await report_row(observer))["leased_until"]
    return bool((held - until).total_seconds() > 1)


async def test_while_the_database_is_away_a_worker_looks_less_and_less_often(
    store: FileStore, caplog: pytest.LogCaptureFixture
) -> None:
    away = Database(f"postgresql://nobody@{NOBODY_LISTENS}/none")
    async with at_work(Bench(away, store, Keyring.parse(MASTER_KEY)).worker(poll=0.01)):
        await asyncio.sleep(1)  # a hundred times its poll
    warnings = [record for record in caplog.records if "looking for reports" in record.message]
    assert 1 <= len(warnings) <= 2
