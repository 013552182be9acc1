"""A replay that changes nothing and locks nothing: its own statements, run on copies.

The tables that batches write have temporary twins of the same names in a session of its own.
PostgreSQL looks for a name there first, so the statements of `repositories.replaying.replay` read
and write the twins. What a batch needs is copied into them beforehand; what is known already, and
says the same, is not even copied. So the twins hold what the replay would change, and no more.
The transactions are read-only from the moment on that a batch is staged: PostgreSQL itself refuses
whatever would write a table that is not temporary.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.dml import ReturningDelete

from repositories.claims.sources import History
from repositories.metrics.definitions import METRICS
from repositories.metrics.lists import LISTS
from repositories.metrics.periods import MONTHS
from repositories.operations.tables import dead_letters, provider_freshness
from repositories.postgres.database import WITHOUT_LIMITS, Database
from repositories.replaying.replay import (
    Events,
    TimedEvent,
    Work,
    correct_own,
    find_misread,
    merge_again,
    stage,
)
from repositories.replaying.replayed import Identity, Replayed
from repositories.statements import BY_INDEX, spelled_out
from repositories.tables import (
    ai_suggestions,
    analytics_cache,
    claim_events,
    claims,
    lists_due,
    providers,
)

TWINS: Final = (
    *(providers, claim_events, claims, ai_suggestions, analytics_cache, lists_due),
    *(dead_letters, provider_freshness),
)
_TEMPORARY: Final = sa.MetaData()
COPIED: Final = {
    table.name: table.to_metadata(_TEMPORARY, schema="pg_temp")
    for table in (providers, claim_events, claims, ai_suggestions)
}
# Claims, and events of the coach, whose rows are copied: once, as the copies may change then.
rehearsed = sa.Table(
    "rehearsed", sa.MetaData(), sa.Column("id", sa.Uuid, primary_key=True), prefixes=["TEMPORARY"]
)
READ_ONLY: Final = sa.select(sa.func.set_config("transaction_read_only", "on", True))
IDS: Final = sa.func.any(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)))


class MovedMonth(NamedTuple):
    """A month of a provider whose figures would change."""

    provider_id: UUID
    month: date


@dataclass
class Rehearsal:
    """Takes the batches that a replay would apply; one at a time, as there is one session."""

    connection: AsyncConnection
    schema: str  # of the service's tables, quoted
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def run(
        self,
        kind: Events,
        events: Sequence[Any],
        topics: Counter[str],
        work: Work,
        _: object = None,
    ) -> Replayed:
        async with self._one_at_a_time, self.connection.begin():
            await self.connection.execute(sa.select(*BY_INDEX))
            await stage(self.connection, kind, events)
            await self.connection.execute(READ_ONLY)
            await self._look_in(f"{self.schema}, pg_temp")
            known: Counter[str] = Counter()
            if work in (merge_again, correct_own):
                leave_out = _leave_out_known(kind, own=work is correct_own)
                known = Counter(await self.connection.scalars(leave_out))
            await self._copy(kind.history, timed=isinstance(events[0], TimedEvent))
            await self._look_in(f"pg_temp, {self.schema}")
            left = topics - known
            found = await work(self.connection, kind, left) if left else Replayed()
            return replace(found, known=known)

    async def look_up(self, kind: Events, events: Sequence[TimedEvent]) -> dict[int, Identity]:
        """In the tables themselves: what a rehearsal moves it moves after all look-ups."""
        async with self._one_at_a_time, self.connection.begin():
            await self.connection.execute(WITHOUT_LIMITS)
            await stage(self.connection, kind, events)
            await self.connection.execute(READ_ONLY)
            await self._look_in(f"{self.schema}, pg_temp")
            return await find_misread(self.connection, kind.history)

    async def moved_months(self) -> list[MovedMonth]:
        """Where figures would change, in order."""
        row = analytics_cache.c
        nothing = [shape.nothing() for shape in {metric.shape for metric in METRICS}]
        month = MONTHS.start(row.period_start)
        moved = (
            sa.select(row.provider_id, month)
            .distinct()
            .where(row.value.not_in([*nothing, *(each.nothing for each in LISTS)]))
            .order_by(row.provider_id, month)
        )
        async with self._one_at_a_time, self.connection.begin():
            await self.connection.execute(READ_ONLY)
            await self._look_in(f"pg_temp, {self.schema}")
            return [MovedMonth(*each) for each in await self.connection.execute(moved)]

    async def _look_in(self, schemas: str) -> None:
        await self.connection.execute(sa.select(sa.func.set_config("search_path", schemas, True)))

    async def _copy(self, history: History, *, timed: bool) -> None:
        """Copy what the batch can touch: whole claims, with their history, and their providers."""
        key = history.identity[0]
        needed = [sa.select(history.staged.c[key])]
        if timed:
            needed.append(sa.select(history.misread.c[key]))
        new = (
            insert(rehearsed)
            .from_select(["id"], sa.union(*needed))
            .on_conflict_do_nothing()
            .returning(rehearsed.c.id)
        )
        ids = (await self.connection.scalars(new)).all()
        for table in (history.rows, claims) if history.rows is claim_events else (history.rows,):
            await self._copy_rows(table, table.c[key] == IDS, ids)
        twin = COPIED[history.rows.name]
        named = sa.union(
            sa.select(history.staged.c.provider_id),
            sa.select(twin.c.provider_id).where(twin.c[key] == IDS),
        )
        await self._copy_rows(providers, providers.c.provider_id.in_(named), ids)

    async def _copy_rows(
        self, table: sa.Table, which: sa.ColumnElement[bool], ids: Sequence[UUID]
    ) -> None:
        names = [column.name for column in table.columns]
        rows = sa.select(*(table.c[name] for name in names)).where(which)
        copy = insert(COPIED[table.name]).from_select(names, rows).on_conflict_do_nothing()
        await self.connection.execute(copy, {"ids": ids})


@asynccontextmanager
async def rehearsal(database: Database) -> AsyncIterator[Rehearsal]:
    """The twins, empty, and gone at the end. Raises `RepositoryError`s."""
    async with database.own_session() as connection:
        async with connection.begin():
            schema = await connection.scalar(
                sa.select(sa.func.quote_ident(sa.func.current_schema()))
            )
            await connection.execute(CreateTable(rehearsed))
            for table in TWINS:
                made = spelled_out(CreateTable(table)).strip()
                made = made.replace("CREATE TABLE", "CREATE TEMPORARY TABLE", 1)
                await connection.execute(sa.text(made.replace(":", r"\:")))
        yield Rehearsal(connection, str(schema))


def _leave_out_known(kind: Events, *, own: bool) -> ReturningDelete[Any]:
    """Take out of the batch what is stored as it says, and would stay so; returns the topics. With
    `own` those alone whose records the rows came from."""
    history = kind.history
    staged, key = history.staged, history.identity[0]
    its_row = history.same_identity()
    other = kind.differs()
    if own:
        its_row, other = history.own_source(), kind.reads_differently()
    return (
        sa.delete(staged)
        .where(its_row, ~other, staged.c[key].not_in(sa.select(rehearsed.c.id)))
        .returning(staged.c.source_topic)
    )
