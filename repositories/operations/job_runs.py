"""What runs once a night over all instances: a row for each night, under a lease.

Whoever inserts the night's row runs it, and renews the lease meanwhile. Once that has ended without
the run's end, another may take the night over. Leases run by the database's clock.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Update, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from repositories.operations.tables import job_runs, repaired_rows
from repositories.postgres.database import Database

NO_LEASE = {"lease_token": None, "leased_until": None}


@dataclass(frozen=True)
class Run:
    """One night's run of a job, held under a lease."""

    job: str
    night: date
    lease_token: UUID


class Standing(NamedTuple):
    """How far a job is: the last night whose run has ended, None before the first; since when one
    is under way under a lease that lasts, None if none is."""

    last_ended: date | None
    under_way_since: datetime | None


async def standing_of(database: Database, job: str) -> Standing:
    night, begun = job_runs.c.night, job_runs.c.started_at
    found = select(
        func.max(night).filter(job_runs.c.ended_at.is_not(None)),
        func.min(begun).filter(job_runs.c.leased_until > _now()),
    ).where(job_runs.c.job == job)
    async with database.snapshot() as connection:
        return Standing(*(await connection.execute(found)).one())


@dataclass(frozen=True)
class RecordedRun:
    """A night's row. It has not ended while it has no `ended_at`; `held`: somebody is at it."""

    night: date
    started_at: datetime
    ended_at: datetime | None
    held: bool
    counts: dict[str, Any]


async def note_first_night(database: Database, job: str, night: date) -> bool:
    """Note, where the job has no row at all, that this night needs no run: nothing was missed.

    Whether it was noted now.
    """
    noted = insert(job_runs).from_select(
        ["job", "night", "ended_at"],
        select(literal(job), literal(night, job_runs.c.night.type), func.clock_timestamp()).where(
            ~exists().where(job_runs.c.job == job)
        ),
    )
    async with database.transaction() as connection:
        return bool((await connection.execute(noted.on_conflict_do_nothing())).rowcount)


async def take_run(database: Database, job: str, night: date, lease_seconds: float) -> Run | None:
    """Take the night's run; None if it has ended, or somebody has it or an earlier night's."""
    earlier = job_runs.alias("earlier")
    busy = exists().where(
        earlier.c.job == job, earlier.c.night < night, earlier.c.leased_until > _now()
    )
    token = uuid4()
    until = _from_now(lease_seconds)
    row = select(literal(job), literal(night, job_runs.c.night.type), literal(token), until).where(
        ~busy
    )
    begun = insert(job_runs).from_select(["job", "night", "lease_token", "leased_until"], row)
    taken = begun.on_conflict_do_update(
        index_elements=["job", "night"],
        set_={"lease_token": token, "leased_until": until},
        where=job_runs.c.ended_at.is_(None)
        & (job_runs.c.leased_until.is_(None) | (job_runs.c.leased_until <= _now())),
    )
    async with database.transaction() as connection:
        return Run(job, night, token) if (await connection.execute(taken)).rowcount else None


async def renew_run(database: Database, run: Run, lease_seconds: float) -> bool:
    """Hold on to it for so long from now; False if the lease was lost: stop working."""
    return await _change(database, run, {"leased_until": _from_now(lease_seconds)})


async def release_run(database: Database, run: Run) -> bool:
    """Give it back unfinished, so that another may take it at once. False as in `renew_run`."""
    return await _change(database, run, NO_LEASE)


async def end_run(database: Database, run: Run, counts: Mapping[str, Any]) -> bool:
    """Close it with these counts, which are JSON, and earlier nights that nobody ended with it.

    False if the lease was lost; nothing has changed then.
    """
    ended = {"ended_at": _now(), **NO_LEASE}
    unfinished = (
        update(job_runs)
        .where(job_runs.c.job == run.job, job_runs.c.night < run.night)
        .where(job_runs.c.ended_at.is_(None))
        .values(**ended, counts={"covered_by": run.night.isoformat()})
    )
    async with database.transaction() as connection:
        closed = await connection.execute(_held(run).values(**ended, counts=dict(counts)))
        if closed.rowcount:
            await connection.execute(unfinished)
    return bool(closed.rowcount)


async def recorded_runs(database: Database, job: str, limit: int) -> Sequence[RecordedRun]:
    """The latest nights first."""
    held = func.coalesce(job_runs.c.leased_until > _now(), literal(False)).label("held")
    own = select(
        job_runs.c.night, job_runs.c.started_at, job_runs.c.ended_at, held, job_runs.c.counts
    ).where(job_runs.c.job == job)
    async with database.snapshot() as connection:
        rows = await connection.execute(own.order_by(job_runs.c.night.desc()).limit(limit))
        return [
            RecordedRun(row.night, row.started_at, row.ended_at, row.held, row.counts or {})
            for row in rows
        ]


async def repaired_in(database: Database, run: Run) -> int:
    """How many rows of `analytics_cache` the night's run has repaired so far, whoever had it."""
    its_own = (job_runs.c.job == run.job, job_runs.c.night == run.night)
    begun = select(job_runs.c.started_at).where(*its_own).scalar_subquery()
    repaired = select(func.count()).where(
        repaired_rows.c.found_by == run.job, repaired_rows.c.repaired_at >= begun
    )
    async with database.snapshot() as connection:
        return int(await connection.scalar(repaired) or 0)


async def _change(database: Database, run: Run, values: Mapping[str, Any]) -> bool:
    async with database.transaction() as connection:
        return bool((await connection.execute(_held(run).values(**values))).rowcount)


def _held(run: Run) -> Update:
    """An UPDATE of its row that finds it under this lease alone."""
    return update(job_runs).where(
        job_runs.c.job == run.job,
        job_runs.c.night == run.night,
        job_runs.c.lease_token == run.lease_token,
    )


def _now() -> ColumnElement[Any]:
    return func.clock_timestamp()


def _from_now(seconds: float) -> ColumnElement[Any]:
    return _now() + timedelta(seconds=seconds)
