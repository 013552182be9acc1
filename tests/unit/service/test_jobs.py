"""Periodic jobs: at once, again and again, past passing faults, until they are told to stop."""

import asyncio
import logging

import pytest

from repositories.errors import DatabaseRefused, DatabaseUnavailable, RepositoryError
from service.jobs import every
from service.reports.files.file_errors import ReportFileError, StoreUnavailable

ERRORS = (RepositoryError, ReportFileError)


async def test_the_work_is_done_at_once_and_again_until_it_is_told_to_stop() -> None:
    stop = asyncio.Event()
    done: list[int] = []

    async def work() -> None:
        done.append(len(done))
        if len(done) == 3:
            stop.set()

    await asyncio.wait_for(every(0.001, work, stop, doing="counting"), 30)
    assert done == [0, 1, 2]


async def test_a_pause_ends_when_the_job_is_told_to_stop() -> None:
    stop, begun = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()

    job = asyncio.create_task(every(3600, work, stop, doing="counting"))
    await begun.wait()
    stop.set()
    await asyncio.wait_for(job, 30)


async def test_what_fails_for_a_passing_reason_is_logged_and_done_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stop = asyncio.Event()
    faults: list[Exception] = [DatabaseUnavailable("away"), StoreUnavailable("away")]

    async def work() -> None:
        if faults:
            raise faults.pop()
        stop.set()

    with caplog.at_level(logging.INFO):
        await asyncio.wait_for(every(0.001, work, stop, doing="counting", errors=ERRORS), 30)
    assert caplog.messages[:2] == ["failed while counting, trying again: away"] * 2
    assert caplog.messages[2].startswith("recovered after")


async def test_another_error_ends_the_job() -> None:
    async def work() -> None:
        raise DatabaseRefused("no")

    with pytest.raises(DatabaseRefused):
        await every(0.001, work, asyncio.Event(), doing="counting")
