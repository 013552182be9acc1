"""Leases on reports: who is making which one, and whose turn it is.

A report's job is due when a worker may take it: at once, after a pause, or when the lease of the
worker that has it ends. Every change here and in `outcomes` is an UPDATE that is guarded by
the lease or the state, so what comes late or twice changes nothing; each writes the job's row
first, and that row's lock puts them in order. Leases and pauses run by the database's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Update, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.postgres.database import Database
from repositories.postgres.notifications import Channel, notify
from repositories.records import REQUESTED, RequestedReport
from repositories.reports.generated_reports import change_report
from repositories.reports.stored_files import file_path
from repositories.reports.tables import generated_reports as reports
from repositories.reports.tables import report_jobs as jobs
from repositories.vocabulary import ReportStatus

NO_LEASE = {"lease_token": None, "leased_until": None}
UNFINISHED = (ReportStatus.PENDING, ReportStatus.GENERATING)


@dataclass(frozen=True, kw_only=True)
class ClaimedJob(RequestedReport):
    """A report that this worker is to make, under a lease.

    `attempt` numbers its file and never goes back. `tries` counts the attempts since it was last
    asked for, this one included: give up (`fail_job`) when there are too many, also *before* any
    work, since a report that kills its workers comes back by its lease alone. `last_error` is the
    code of an earlier attempt, `archive_password` the JWE of the request, `traceparent` the place
    in a trace that its announcement follows.
    """

    requested_at: datetime
    archive_password: str | None = field(repr=False)
    file_path: str
    attempt: int
    tries: int
    last_error: str | None
    lease_token: UUID
    leased_until: datetime
    traceparent: str | None = None


async def claim_job(database: Database, lease_seconds: float) -> ClaimedJob | None:
    """Take the report that has been due for longest; None if none is due.

    If its last worker's lease has ended this is a take-over: the report stays `generating`, its
    file has a new name, and the late worker can change nothing any more.
    """
    async with database.transaction() as connection:
        due = (await connection.execute(_longest_due())).mappings().one_or_none()
        return None if due is None else await _claim(connection, due, lease_seconds)


async def extend_lease(database: Database, job: ClaimedJob, lease_seconds: float) -> bool:
    """Hold on to a job for so long from now; False if the lease was lost: stop working."""
    until = _from_now(lease_seconds)
    return await _change_held(database, job, {"leased_until": until, "due_at": until})


async def release_job(database: Database, job: ClaimedJob) -> bool:
    """Give a job back unfinished, due at once and not counted as a try: the worker is to stop.

    False if the lease was lost; nothing has changed then.
    """
    given_back = NO_LEASE | {"due_at": func.now(), "tries": jobs.c.tries - 1}
    return await _change_held(database, job, given_back, notified=True)


async def postpone_job(
    database: Database, job: ClaimedJob, *, code: str, pause_seconds: float
) -> bool:
    """Give a job back after a transient fault; it stays `generating`, due again after a pause.

    `code` (at most 50 characters) tells operators what happened. False if the lease was lost;
    nothing has changed then.
    """
    return await _change_held(
        database, job, NO_LEASE | {"due_at": _from_now(pause_seconds), "last_error": code}
    )


def update_held(job: ClaimedJob) -> Update:
    """An UPDATE of the job's row that finds it under this lease alone."""
    held = (jobs.c.report_id == job.report_id, jobs.c.lease_token == job.lease_token)
    return update(jobs).where(*held)


async def _change_held(
    database: Database, job: ClaimedJob, values: Mapping[str, Any], *, notified: bool = False
) -> bool:
    async with database.transaction() as connection:
        changed = await connection.execute(update_held(job).values(**values))
        if notified:
            await notify(connection, Channel.REPORT_JOBS)
    return changed.rowcount > 0


def _longest_due() -> Select[Any]:
    """Locks the job; those that others are claiming or changing right now are passed over."""
    requested = [reports.c[name] for name in REQUESTED if name not in jobs.c]
    return (
        select(jobs, *requested)
        .join(reports, reports.c.report_id == jobs.c.report_id)
        .where(jobs.c.due_at <= func.now(), reports.c.status.in_(UNFINISHED))
        .order_by(jobs.c.due_at)
        .limit(1)
        .with_for_update(of=jobs, skip_locked=True)
    )


async def _claim(
    connection: AsyncConnection, due: Mapping[Any, Any], lease_seconds: float
) -> ClaimedJob:
    requested: dict[str, Any] = {name: due[name] for name in REQUESTED}
    attempt, tries, until = due["attempts"] + 1, due["tries"] + 1, _from_now(lease_seconds)
    lease = (
        update(jobs)
        .where(jobs.c.report_id == due["report_id"])
        .values(
            attempts=attempt,
            tries=tries,
            lease_token=func.gen_random_uuid(),
            leased_until=until,
            due_at=until,
        )
        .returning(jobs.c.lease_token, jobs.c.leased_until)
    )
    leased = (await connection.execute(lease)).one()
    path = file_path(due["provider_id"], due["report_id"], attempt, due["format"])
    started = {"status": ReportStatus.GENERATING, "file_path": path}
    await change_report(connection, due["report_id"], UNFINISHED, started)
    return ClaimedJob(
        **requested,
        requested_at=due["requested_at"],
        archive_password=due["archive_password"],
        file_path=path,
        attempt=attempt,
        tries=tries,
        last_error=due["last_error"],
        lease_token=leased.lease_token,
        leased_until=leased.leased_until,
        traceparent=due["traceparent"],
    )


def _from_now(seconds: float) -> ColumnElement[datetime]:
    interval = func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    return func.clock_timestamp() + interval
