"""What the whole fleet's state is, as numbers: for metrics, asked every few seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.claims.fill import IS_BEHIND
from repositories.operations.letter_states import open_letters
from repositories.operations.tables import job_runs, orders, provider_freshness, repaired_rows
from repositories.outbox import WAITING
from repositories.postgres.database import Database
from repositories.reports.jobs import UNFINISHED
from repositories.reports.tables import generated_reports, outbox
from repositories.tables import lists_due, providers
from repositories.vocabulary import OrderKind

DAY = sa.text("interval '24 hours'")


class Nightly(NamedTuple):
    """The last run that ended: when, in seconds since 1970, how long it took, and the rows that it
    confirmed, repaired and removed."""

    ended: float
    seconds: float
    rows: dict[str, int]


@dataclass(frozen=True)
class FleetNumbers:
    """Counts, and ages in seconds (0 where there is nothing that has one).

    `letters` are open, by topic and reason; `reports` by type and status; `repaired` by what found
    them, within 24 hours. `oldest_confirmation` is None before any provider was confirmed.
    """

    letters: dict[tuple[str, str], int]
    reports: dict[tuple[str, str], int]
    repaired: dict[tuple[str, ...], int]
    nightly: Nightly | None
    report_waiting: float
    outbox: int
    outbox_waiting: float
    outbox_refused: int
    oldest_confirmation: float | None
    lists_behind: int
    providers_behind: int
    pauses: int


async def fleet_numbers(database: Database, nightly_job: str) -> FleetNumbers:
    """All of one moment, in five statements. Raises RepositoryErrors."""
    async with database.snapshot() as connection:
        counts = (await connection.execute(_COUNTS)).mappings().one()
        return FleetNumbers(
            letters=await open_letters(connection),
            reports=await _grouped(connection, [_reports.report_type, _reports.status]),
            repaired=await _grouped(
                connection,
                [repaired_rows.c.found_by],
                repaired_rows.c.repaired_at > sa.func.now() - DAY,
            ),
            nightly=await _last_nightly(connection, nightly_job),
            **counts,
        )


_reports = generated_reports.c


def _age(column: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    oldest = sa.select(sa.func.min(column)).where(*where).scalar_subquery()
    age = sa.cast(sa.extract("epoch", sa.func.now() - oldest), sa.Float)
    return sa.select(sa.func.greatest(age, 0.0)).scalar_subquery()


def _count(table: sa.Table, *where: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    return sa.select(sa.func.count()).select_from(table).where(*where).scalar_subquery()


_confirmed = provider_freshness.c.confirmed_at
_COUNTS = sa.select(
    sa.func.coalesce(_age(_reports.created_at, _reports.status.in_(UNFINISHED)), 0.0).label(
        "report_waiting"
    ),
    _count(outbox, WAITING).label("outbox"),
    sa.func.coalesce(_age(outbox.c.created_at, WAITING), 0.0).label("outbox_waiting"),
    # As in WAITING, so that the index of what is not published finds them.
    _count(outbox, outbox.c.published_at.is_(None), outbox.c.refused_at.is_not(None)).label(
        "outbox_refused"
    ),
    sa.case(
        (sa.exists(sa.select(provider_freshness.c.provider_id)), _age(_confirmed)), else_=None
    ).label("oldest_confirmation"),
    _count(lists_due).label("lists_behind"),
    _count(providers, IS_BEHIND).label("providers_behind"),
    _count(orders, orders.c.kind == OrderKind.PAUSE, orders.c.closed_at.is_(None)).label("pauses"),
)


async def _grouped(
    connection: AsyncConnection,
    columns: Sequence[sa.ColumnElement[Any]],
    *where: sa.ColumnElement[bool],
) -> dict[Any, int]:
    counted = sa.select(*columns, sa.func.count()).where(*where).group_by(*columns)
    return {tuple(row[:-1]): row[-1] for row in await connection.execute(counted)}


async def _last_nightly(connection: AsyncConnection, job: str) -> Nightly | None:
    """Not a night that another's run covered, nor the one before the first: they have no rows."""
    counts = job_runs.c.counts
    epoch = [
        sa.cast(sa.extract("epoch", each), sa.Float)
        for each in (job_runs.c.ended_at, job_runs.c.ended_at - job_runs.c.started_at)
    ]
    last = (
        sa.select(*epoch, counts)
        .where(job_runs.c.job == job, job_runs.c.ended_at.is_not(None), counts.has_key("providers"))
        .order_by(job_runs.c.night.desc())
        .limit(1)
    )
    row = (await connection.execute(last)).one_or_none()
    if row is None:
        return None
    results = ("confirmed", "repaired", "removed")
    return Nightly(row[0], row[1], {each: int(row[2][f"{each}_rows"]) for each in results})
