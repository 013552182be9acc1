"""Two workers and one report: the late one announces nothing, and removes its own file alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from repositories.erasure import erase_patient
from repositories.reports.jobs import ClaimedJob
from service.reports import worker as worker_module
from service.reports.documents import render
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
from tests.integration.service.reports.making import Bench

CSV = {"format": "CSV"}
DETAIL = {"report_type": "ACCOUNTANT_DETAIL"}
NUMBER = "987654321"


class Rendering:
    """The renderer, held in its first report after the first piece until `goes_on` is set."""

    def __init__(self) -> None:
        self.held = asyncio.Event()
        self.goes_on = asyncio.Event()

    async def __call__(self, *given: Any) -> AsyncIterator[bytes]:
        async for piece in render(*given):
            yield piece
            if not self.held.is_set():
                self.held.set()
                await self.goes_on.wait()


@pytest.fixture
def rendering(monkeypatch: pytest.MonkeyPatch) -> Rendering:
    held = Rendering()
    monkeypatch.setattr(worker_module, "render", held)
    return held


async def test_a_worker_that_finishes_late_announces_nothing_and_removes_its_own_file(
    bench: Bench, observer: asyncpg.Connection, rendering: Rendering
) -> None:
    async with _late_worker(bench, rendering, lease=60) as (late, taken_over):
        await _made_by_another(bench, observer, taken_over)
        before = await report_row(observer)
        rendering.goes_on.set()
        await asyncio.wait_for(late, 30)
    await _only_the_other_made_it(bench, observer, before)


async def test_a_worker_that_learns_that_its_lease_is_lost_stops(
    bench: Bench, observer: asyncpg.Connection, rendering: Rendering
) -> None:
    async with _late_worker(bench, rendering, lease=3) as (late, taken_over):
        await _made_by_another(bench, observer, taken_over)
        before = await report_row(observer)
        await asyncio.wait_for(late, 30)  # the renderer never goes on
    await _only_the_other_made_it(bench, observer, before)


async def test_a_worker_that_fails_late_does_not_touch_the_other_attempt(
    bench: Bench, observer: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await record(bench.database, request(**CSV))
    late = await claimed(bench.database)
    await end_lease(observer)
    other = await claimed(bench.database)
    before = await report_row(observer)

    def broken(*_: Any) -> AsyncIterator[bytes]:
        raise RuntimeError

    monkeypatch.setattr(worker_module, "render", broken)
    await bench.worker().make(late)
    await bench.worker(most_tries=1).make(late)
    assert await report_row(observer) == before
    monkeypatch.undo()
    await bench.worker().make(other)
    assert (await report_row(observer))["status"] == "ready"


async def test_a_worker_whose_report_was_erased_leaves_no_file(
    bench: Bench, observer: asyncpg.Connection, rendering: Rendering
) -> None:
    async with _late_worker(bench, rendering, lease=60) as (late, _):
        await observer.execute("DELETE FROM report_jobs; DELETE FROM generated_reports")
        rendering.goes_on.set()
        await asyncio.wait_for(late, 30)
    assert await bench.files() == []
    assert await announced(observer) == []


async def test_a_report_under_way_is_begun_anew_when_a_patients_number_is_erased(
    bench: Bench, observer: asyncpg.Connection, rendering: Rendering
) -> None:
    event = paid(patient_phn=NUMBER, date_of_service="2025-03-04", payment_date="2025-04-01")
    await apply(bench.database, event)
    async with _late_worker(bench, rendering, lease=60, **DETAIL) as (late, job):
        await erase_patient(bench.database, NUMBER, "asked")
        rendering.goes_on.set()
        await asyncio.wait_for(late, 30)
    assert (await report_row(observer))["status"] == "generating"
    assert await bench.files() == []
    again = await claimed(bench.database)
    assert again.file_path != job.file_path
    await bench.worker().make(again)
    content = await bench.download()
    assert b"2025-03-04" in content
    assert NUMBER.encode() not in content


@asynccontextmanager
async def _late_worker(
    bench: Bench, rendering: Rendering, lease: float, **given: Any
) -> AsyncIterator[tuple["asyncio.Task[None]", ClaimedJob]]:
    """A worker in the middle of its file, and the job that it has."""
    await record(bench.database, request(**(CSV | given)))
    job = await claimed(bench.database, lease)
    late = asyncio.create_task(bench.worker(lease=lease).make(job))
    try:
        await asyncio.wait_for(rendering.held.wait(), 30)
        yield late, job
    finally:
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)


async def _made_by_another(
    bench: Bench, observer: asyncpg.Connection, taken_over: ClaimedJob
) -> None:
    await end_lease(observer)
    job = await claimed(bench.database)
    assert job.file_path != taken_over.file_path
    await bench.worker().make(job)


async def _only_the_other_made_it(
    bench: Bench, observer: asyncpg.Connection, before: dict[str, Any]
) -> None:
    assert await report_row(observer) == before
    assert (before["status"], before["attempts"]) == ("ready", 2)
    assert len(await announced(observer)) == 1
    assert (await bench.download()).startswith(b"date_of_service")

    async def alone() -> bool:
        return await bench.files() == [before["file_path"]]

    await until_async(alone, "the file of the late worker to be gone", within=30)
