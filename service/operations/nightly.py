"""What `run` does once a night, on whichever instance: recompute, repair, forget what is over.

Reports expire every few minutes anyway (`service/reports/cleanup.py`).
"""

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from consumers.supervision.pulse import beat
from repositories.errors import RepositoryError
from repositories.operations.job_runs import (
    Run,
    end_run,
    note_first_night,
    release_run,
    renew_run,
    repaired_in,
    take_run,
)
from repositories.operations.purge import purge_letters, purge_repaired_rows
from repositories.outbox import prune_outbox
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database
from service.jobs import every
from service.operations.nights import Nights
from service.operations.refresh import refresh_all

log = logging.getLogger(__name__)

JOB = "nightly"


@dataclass(frozen=True)
class NightlyPolicy:
    """An instance looks every `look` seconds whether a night's run is due. One that died is missed
    after `lease` seconds. Rows of dead letters are kept for `letter_days` once nothing more will
    become of them, for `open_letter_days` otherwise; repaired rows for `repair_days`, published
    announcements for `outbox_days`."""

    look: float = 60.0
    lease: float = 120.0
    letter_days: int = 90
    open_letter_days: int = 365
    repair_days: int = 30
    outbox_days: int = 30


class NightlyJob:
    """Takes the last night's run if nobody has; so one run covers all nights that were missed."""

    def __init__(self, nights: Nights, policy: NightlyPolicy | None = None) -> None:
        self._nights = nights
        self._policy = policy or NightlyPolicy()

    async def __call__(self, database: Database, stop: asyncio.Event) -> None:
        first = True

        async def look() -> None:
            nonlocal first
            night = self._nights.last_due(await database_time(database))
            if first:
                await note_first_night(database, JOB, night)
                first = False
            if run := await take_run(database, JOB, night, self._policy.lease):
                await self._do(database, run, stop)

        await every(self._policy.look, look, stop, doing="doing the nightly run")

    async def _do(self, database: Database, run: Run, stop: asyncio.Event) -> None:
        """The run, for as long as the lease is held; what is not ended is given back at once."""
        log.info("the nightly run begins", extra={"night": run.night.isoformat()})
        working = asyncio.create_task(self._work(database, run, stop))
        # In a context of its own: a lease that is renewed is no sign that the work goes on.
        holding = asyncio.create_task(self._hold(database, run), context=Context())
        stopping = asyncio.create_task(stop.wait())
        either: set[asyncio.Future[Any]] = {working, holding, stopping}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            elif holding.done():
                holding.result()
                log.warning("the nightly run was taken over: this instance lost its lease")
        finally:
            for task in either:
                task.cancel()
            await asyncio.gather(*either, return_exceptions=True)
            with suppress(RepositoryError):
                await release_run(database, run)

    async def _hold(self, database: Database, run: Run) -> None:
        """Renew the lease until it is lost; while the database is away nobody else takes it."""
        while True:
            await asyncio.sleep(self._policy.lease / 3)  # well before the lease ends
            with suppress(RepositoryError):
                if not await renew_run(database, run, self._policy.lease):
                    return

    async def _work(self, database: Database, run: Run, stop: asyncio.Event) -> None:
        refreshed = await refresh_all(database, JOB, lambda _counts, _total: beat(), stop)
        if not refreshed.done:  # told to stop
            return
        policy = self._policy
        letter_days = timedelta(policy.letter_days), timedelta(policy.open_letter_days)
        counts = {
            "providers": refreshed.providers,
            "confirmed_rows": refreshed.confirmed_rows,
            "repaired_rows": await repaired_in(database, run),
            "removed_rows": refreshed.removed_rows,
            "forgotten_letters": await purge_letters(database, *letter_days),
            "forgotten_repairs": await purge_repaired_rows(database, timedelta(policy.repair_days)),
            "forgotten_announcements": await prune_outbox(database, timedelta(policy.outbox_days)),
        }
        if await end_run(database, run, counts):
            _tell(run, counts)


def _tell(run: Run, counts: dict[str, int]) -> None:
    """Loudly, if anything was wrong: it should never be."""
    extra = {"night": run.night.isoformat(), **counts}
    if counts["repaired_rows"]:
        log.error(
            "the nightly run repaired %d rows of analytics_cache that were wrong: look at"
            " repaired_rows, and report it as a bug unless somebody changed rows by hand",
            counts["repaired_rows"],
            extra=extra,
        )
    else:
        log.info("the nightly run found everything right", extra=extra)
