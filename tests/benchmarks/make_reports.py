"""A process that makes the reports that are due, with the service's own workers, and ends.

Prints the seconds that took, without the start of the process. Its settings come from the
environment; the argument is the number of workers.
"""

import asyncio
import sys
import time

from repositories.reports.jobs import claim_job
from service import wiring
from service.reports.wiring import keyring, report_store
from service.reports.worker import ReportWorker, WorkerPolicy
from service.settings import Settings


async def make_all(settings: Settings, workers: int) -> float:
    policy = WorkerPolicy()
    async with wiring.open_database(settings) as database:
        worker = ReportWorker(database, report_store(settings), keyring(settings), None, policy)

        async def work() -> None:
            while job := await claim_job(database, policy.lease):
                await worker.make(job)

        began = time.monotonic()
        await asyncio.gather(*(work() for _ in range(workers)))
        return time.monotonic() - began


if __name__ == "__main__":
    seconds = asyncio.run(make_all(Settings(), int(sys.argv[1])))
    print(seconds)  # noqa: T201
