"""The heartbeat file: there while the service is alive, and never a reason for it to end."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

from repositories.postgres.database import Database
from service.heartbeat import heartbeat_job
from service.jobs import Job
from service.watchdog import Watchdog
from tests.harness.waiting import until

NO_DATABASE = cast(Database, None)


async def test_it_is_there_while_the_service_is_alive_and_gone_afterwards(tmp_path: Path) -> None:
    beat = tmp_path / "beat"
    job = heartbeat_job(beat, Watchdog())
    beat.unlink()
    await _run(job, until(beat.exists, "the file"))
    assert not beat.exists()


async def test_a_folder_that_cannot_be_written_any_more_is_no_reason_to_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    job = heartbeat_job(folder / "beat", Watchdog())
    (folder / "beat").unlink()
    folder.rmdir()
    folder.touch()  # as a read-only file system does, it refuses root too
    await _run(job, until(lambda: "cannot be written" in caplog.text, "the warning"))


async def _run(job: Job, until_then: Coroutine[Any, Any, object]) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(job(NO_DATABASE, stop))
    await until_then
    stop.set()
    await asyncio.wait_for(running, 30)
