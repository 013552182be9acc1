"""Workers on a real database and store, and what became of their reports."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from repositories.postgres.database import Database
from repositories.postgres.notifications import Notifications
from repositories.reports.jobs import ClaimedJob
from service.reports.downloads import download
from service.reports.files.keys import Keyring, new_master_key
from service.reports.files.store import FileStore
from service.reports.ownership import StoreOwner
from service.reports.worker import ReportWorker, WorkerPolicy
from tests.harness.waiting import until_async
from tests.integration.repositories.report_examples import P, claimed, record, report_id, request
from tests.integration.service.command_line import Finished

MASTER_KEY = new_master_key(date(2026, 1, 1))
Said = Callable[..., Finished]  # runs a command, with settings by their names in `Settings`
ENDED = ("ready", "failed", "expired")


@dataclass(frozen=True)
class Bench:
    """What workers work on."""

    database: Database
    store: FileStore
    keyring: Keyring

    def worker(self, notifications: Notifications | None = None, **policy: Any) -> ReportWorker:
        """One that polls often, unless the policy says otherwise."""
        usual: dict[str, Any] = {"poll": 0.05, "longest_pause": 0.05}
        given = WorkerPolicy(**(usual | policy))
        return ReportWorker(self.database, self.store, self.keyring, None, given, notifications)

    async def make(self, name: str = "A", **given: Any) -> ClaimedJob:
        """Request a report and make it; its job as it was claimed."""
        await StoreOwner(self.database, self.store).confirm()
        await record(self.database, request(name, **given))
        job = await claimed(self.database)
        await self.worker().make(job)
        return job

    async def download(self, name: str = "A") -> bytes:
        pieces = await download(self.database, self.store, self.keyring, P, report_id(name))
        return b"".join([piece async for piece in pieces])

    async def files(self) -> list[str]:
        return sorted([file.key async for file in self.store.list("reports")])


@asynccontextmanager
async def at_work(*workers: ReportWorker) -> AsyncIterator[None]:
    """The block runs beside these workers, which are stopped in order at its end."""
    stop = asyncio.Event()
    running = [asyncio.create_task(worker.run(stop)) for worker in workers]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*running)


async def ended(observer: asyncpg.Connection, count: int = 1) -> None:
    """Wait until so many reports have come to an end."""

    async def enough() -> bool:
        found = "SELECT count(*) FROM generated_reports WHERE status = ANY($1)"
        return bool(await observer.fetchval(found, ENDED) >= count)

    await until_async(enough, f"{count} reports that came to an end")


def fetch(run: Said, out: Path, provider: UUID = P, name: str = "A", **settings: str) -> Finished:
    command = ("report", "fetch", str(report_id(name)), "--provider", str(provider))
    return run(*command, "--out", str(out), **settings)
