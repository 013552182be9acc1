"""Making reports: claim a job, render and store its file, make it ready.

What dies on the way leaves a lease that ends, and another worker takes over under a new file name.
"""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from contextvars import Context
from dataclasses import dataclass, replace
from typing import Any

from consumers.engine.retry import RetryPolicy, until_it_succeeds
from consumers.supervision.outage import Outage
from consumers.supervision.pulse import working
from consumers.supervision.watch import watched
from consumers.telemetry.spans import Attributes, span
from repositories.errors import RepositoryError
from repositories.postgres.database import Database
from repositories.postgres.notifications import Channel, Notifications
from repositories.reports.jobs import ClaimedJob, claim_job, extend_lease, postpone_job, release_job
from repositories.reports.outcomes import fail_job, finish_job
from repositories.reports.profiles import read_profile
from repositories.reports.queries import ReportQueries
from repositories.reports.stored_files import stored_file
from repositories.vocabulary import ReportStatus
from service.reports.backoff import Backoff
from service.reports.documents import render
from service.reports.documents.request import RenderRequest
from service.reports.files.file_errors import (
    PasswordRefused,
    ReportFileError,
    StoreNotOurs,
    StoreUnavailable,
)
from service.reports.files.keys import Keyring
from service.reports.files.passwords import PasswordKeys
from service.reports.files.report_files import WrittenFile, write_report
from service.reports.files.store import FileStore
from service.reports.ownership import StoreOwner
from service.telemetry.reports import REPORT_SECONDS, Outcome

log = logging.getLogger(__name__)

OWNED_SECONDS = 60.0  # a worker looks that often whose the store is
GENERIC = "Report generation failed. Please try again or contact support."


@dataclass(frozen=True)
class WorkerPolicy:
    """Times in seconds. A report is given up after `most_tries`; `lease` is renewed thrice in it;
    `shutdown` is what a report under way may still take when the service stops."""

    lease: float = 60.0
    most_tries: int = 4
    poll: float = 5.0  # for due reports, without a notification
    shutdown: float = 20.0
    longest_pause: float = 60.0  # between tries, after a first of one second


class LeaseLost(Exception):
    """Another worker has the job: this one announces nothing and removes its own file only."""


class ReportWorker:
    """Makes one report after the other; as many of them as you like, in any process."""

    def __init__(
        self,
        database: Database,
        store: FileStore,
        keyring: Keyring,
        passwords: PasswordKeys | None,
        policy: WorkerPolicy,
        notifications: Notifications | None = None,
    ) -> None:
        """Workers of one process share `notifications`; without them they poll."""
        self._database = database
        self._store = store
        self._keyring = keyring
        self._passwords = passwords
        self._policy = policy
        self._notifications = notifications or Notifications()
        self._owner = StoreOwner(database, store)
        self._backoff = Backoff("looking for reports to make")

    async def run(self, stop: asyncio.Event) -> None:
        """Make what is due, until `stop` is set; a report under way gets a while to be done."""
        while job := await self._notifications.wait_for(
            Channel.REPORT_JOBS, self._claimed, stop, self._policy.poll
        ):
            await self._make_or_release(job, stop)

    async def _claimed(self) -> ClaimedJob | None:
        """None too while the store is another's: its reports wait, and lose no tries."""
        if self._backoff.pausing:
            return None
        outage = self._backoff.outage
        try:
            with working(outage.doing), watched(outage):
                with suppress(StoreUnavailable):  # then a try fails, and is counted
                    await self._owner.confirm(within=OWNED_SECONDS)
                job = await claim_job(self._database, self._policy.lease)
        except (RepositoryError, StoreNotOurs) as error:
            if not error.retriable:
                raise
            self._backoff.failed(error)
            return None
        self._backoff.over()
        return job

    async def _make_or_release(self, job: ClaimedJob, stop: asyncio.Event) -> None:
        making = asyncio.create_task(self.make(job))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({making, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await asyncio.wait({making}, timeout=self._policy.shutdown)
        if making.done():
            making.result()
            return
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)
        await self._change("giving a report back", lambda: release_job(self._database, job))

    async def make(self, job: ClaimedJob) -> None:
        """Make one report, whatever comes of it; raises nothing but cancellation."""
        began = time.monotonic()
        about: Attributes = {"type": job.report_type, "format": job.format, "attempt": job.attempt}
        with span("report", parent=job.traceparent, attributes=about) as spanned:
            outcome = await self._make(replace(job, traceparent=spanned.context))
            spanned.note({"outcome": outcome})
        REPORT_SECONDS[job.report_type, outcome].observe(time.monotonic() - began)

    async def _make(self, job: ClaimedJob) -> Outcome:
        if job.tries > self._policy.most_tries:
            return await self._fail(job, job.last_error or "worker-died", GENERIC)
        outage = Outage("making a report")
        try:
            with working(outage.doing), watched(outage):
                await self._under_lease(job, self._write_and_finish(job))
            outage.over()
        except PasswordRefused as refused:
            return await self._fail(job, "password-refused", str(refused))
        except LeaseLost:
            log.warning("report taken over by another worker", extra=_labels(job))
            return Outcome.LOST
        except Exception as error:  # noqa: BLE001  # a bug in one report must not end the worker
            return await self._try_later(job, error)
        return Outcome.READY

    async def _write(self, job: ClaimedJob) -> WrittenFile:
        """From a server-side cursor through renderer and cipher into the store."""
        password = self._password(job)
        async with self._database.snapshot() as connection:
            provider = await read_profile(connection, job.provider_id)
            queries = ReportQueries(connection, job.provider_id)
            received = await queries.received()
            request = RenderRequest(job, provider, received, job.requested_at, password)
            rendered = render(request, queries)
            async with aclosing(rendered):
                return await write_report(self._store, self._keyring, job.file_path, rendered)

    async def _write_and_finish(self, job: ClaimedJob) -> None:
        written = await self._write(job)

        def finish() -> Awaitable[bool]:
            return finish_job(
                self._database,
                job,
                file_size_bytes=written.size_bytes,
                wrapped_key=written.key.ciphertext,
                key_id=written.key.key_id,
            )

        finished = await until_it_succeeds(finish, "making a report ready", RetryPolicy())
        if not finished and not await self._was_finished(job):
            await self._store.delete(job.file_path)
            raise LeaseLost
        log.info("report ready", extra=_labels(job) | {"bytes": written.size_bytes})

    async def _was_finished(self, job: ClaimedJob) -> bool:
        """Whether an earlier call of ours finished it, whose answer was lost."""
        async with self._database.transaction() as connection:
            stored = await stored_file(connection, job.provider_id, job.report_id)
        if stored is None:
            return False
        return stored.status is ReportStatus.READY and stored.file_path == job.file_path

    async def _try_later(self, job: ClaimedJob, error: Exception) -> Outcome:
        """Postpone, or give up after enough tries. An error of others is logged by place: its text
        may quote."""
        code = type(error).__name__[:50]
        place = traceback.extract_tb(error.__traceback__)[-1]
        told = {"error": code, "at": f"{place.name}:{place.lineno}"}
        if isinstance(error, RepositoryError | ReportFileError):  # whose texts quote nothing
            told["why"] = str(error)
        log.error("report failed", extra=_labels(job) | told)
        if job.tries >= self._policy.most_tries:
            return await self._fail(job, code, GENERIC)
        pause = RetryPolicy(1.0, self._policy.longest_pause).pause(job.tries)
        await self._change(
            "postponing a report",
            lambda: postpone_job(self._database, job, code=code, pause_seconds=pause),
        )
        self._notifications.wake_after(Channel.REPORT_JOBS, pause)
        return Outcome.POSTPONED

    async def _fail(self, job: ClaimedJob, code: str, message: str) -> Outcome:
        log.warning("report given up", extra=_labels(job) | {"error": code, "why": message})
        await self._change(
            "giving a report up",
            lambda: fail_job(self._database, job, code=code, message=message),
        )
        return Outcome.FAILED

    async def _change(self, doing: str, change: Callable[[], Awaitable[bool]]) -> None:
        """Change the job's state. If the database is away the lease ends by itself, as after a
        crash."""
        try:
            await change()
        except RepositoryError as error:
            log.warning("failed while %s, its lease will end: %s", doing, error)

    def _password(self, job: ClaimedJob) -> str | None:
        if job.archive_password is None:
            return None
        if self._passwords is None:
            raise PasswordRefused("This service takes no archive passwords. Ask for a ZIP without.")
        return self._passwords.open_password(job.archive_password)

    async def _under_lease(self, job: ClaimedJob, work: Coroutine[Any, Any, None]) -> None:
        """Renew the lease while `work` runs; cancel it and raise LeaseLost if the lease is lost."""
        working = asyncio.create_task(work)
        # In a context of its own: a lease that is renewed is no sign that the work goes on.
        keeping = asyncio.create_task(self._keep_lease(job), context=Context())
        try:
            await asyncio.wait({working, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise LeaseLost
            working.result()
        finally:
            working.cancel()
            keeping.cancel()
            await asyncio.gather(working, keeping, return_exceptions=True)

    async def _keep_lease(self, job: ClaimedJob) -> None:
        """Returns when the lease is lost."""
        held = True
        while held:
            await asyncio.sleep(self._policy.lease / 3)  # well before the lease ends
            try:
                held = await extend_lease(self._database, job, self._policy.lease)
            except RepositoryError as error:
                log.warning("failed while renewing a lease: %s", error)


def _labels(job: ClaimedJob) -> dict[str, object]:
    return {
        "report_id": str(job.report_id),
        "report_type": job.report_type,
        "format": job.format,
        "attempt": job.attempt,
    }
