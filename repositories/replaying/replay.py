"""Merging records that are read again, and correcting what was stored of them, batch by batch.

The locks, the merge and the figures are those of live batches (`repositories.claims.batch`,
`repositories.suggestions.batch`); no offset is stored. `Applying` does it; a rehearsal
(`repositories.replaying.rehearsal`) runs the very same statements on copies.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from repositories.batch_providers import add_providers
from repositories.claims import sources
from repositories.claims.batch import HORIZON_LOCK
from repositories.claims.sources import History, staged_times
from repositories.operations.letters import NO_LETTERS, BatchLetters, record_letters
from repositories.postgres.database import WITHOUT_LIMITS, Database
from repositories.replaying.replayed import (
    Conflict,
    Identity,
    MergedBatch,
    Place,
    Replayed,
)
from repositories.statements import BY_HASH, BY_INDEX
from repositories.tables import providers


class TimedEvent(NamedTuple):
    """A decoded event, its record's timestamp in milliseconds since 1970, and for `move` what its
    row says that it is."""

    event: Any
    milliseconds: int
    was: Identity | None = None


class Events(Protocol):
    """A kind of events: claims', or the AI coach's."""

    history: History

    def differs(self) -> ColumnElement[bool]: ...
    def reads_differently(self) -> ColumnElement[bool]: ...
    async def stage(self, connection: AsyncConnection, events: Sequence[Any], /) -> None: ...
    async def hold(self, connection: AsyncConnection, /) -> int: ...
    async def merge(
        self, connection: AsyncConnection, events: int, erased: int, /
    ) -> MergedBatch: ...
    async def correct(self, connection: AsyncConnection, /) -> Sequence[str]: ...
    async def split(self, connection: AsyncConnection, /) -> Sequence[int]: ...
    async def remove_misread(self, connection: AsyncConnection, /) -> None: ...


# What is done with a batch once it is staged: connection, kind, events of each topic.
Work = Callable[[AsyncConnection, Events, Counter[str]], Awaitable[Replayed]]


# Of what became of a batch, the messages that could be used, whose letters are resolved.
LettersOf = Callable[[Replayed], BatchLetters]


class Batches(Protocol):
    """Where batches go: into the tables, or into copies of them."""

    async def run(
        self,
        kind: Events,
        events: Sequence[Any],
        topics: Counter[str],
        work: Work,
        letters: LettersOf = lambda _: NO_LETTERS,
    ) -> Replayed:
        """Do the work in a transaction, once the events are staged; `topics` has how many of each
        there are. The dead letters of messages that could be used (`letters`) are resolved in it.
        Raises as `apply_claim_batch`."""

    async def look_up(self, kind: Events, events: Sequence[TimedEvent]) -> dict[int, Identity]:
        """By place in `events`: what rows say, wrongly, that their records are. Reads the whole
        history, and locks nothing."""


@dataclass(frozen=True)
class Applying:
    """Into the tables."""

    database: Database

    async def run(
        self,
        kind: Events,
        events: Sequence[Any],
        topics: Counter[str],
        work: Work,
        letters: LettersOf = lambda _: NO_LETTERS,
    ) -> Replayed:
        async with self.database.transaction() as connection:
            horizon = func.pg_advisory_xact_lock_shared(HORIZON_LOCK)
            await connection.execute(select(horizon, *BY_INDEX))
            await stage(connection, kind, events)
            found = await work(connection, kind, topics)
            await record_letters(connection, letters(found), [])
            return found

    async def look_up(self, kind: Events, events: Sequence[TimedEvent]) -> dict[int, Identity]:
        async with self.database.transaction() as connection:
            await connection.execute(WITHOUT_LIMITS)
            await stage(connection, kind, events)
            return await find_misread(connection, kind.history)


async def stage(connection: AsyncConnection, kind: Events, events: Sequence[Any]) -> None:
    """Stage a batch; of timed events also the times, and what rows say that they are."""
    if not isinstance(events[0], TimedEvent):
        await kind.stage(connection, events)
        return
    await kind.stage(connection, [each.event for each in events])
    misread = kind.history.misread
    times = [(seq, each.milliseconds) for seq, each in enumerate(events)]
    noted = [
        (seq, *(part for part in each.was if part is not None))
        for seq, each in enumerate(events)
        if each.was
    ]
    raw = await connection.get_raw_connection()
    for table, rows in ((staged_times, times), (misread, noted)):
        await connection.execute(CreateTable(table, if_not_exists=True))
        await raw.driver_connection.copy_records_to_table(  # type: ignore[union-attr]  # asyncpg's
            table.name, records=rows, columns=table.columns.keys(), schema_name="pg_temp"
        )


async def merge_again(connection: AsyncConnection, kind: Events, topics: Counter[str]) -> Replayed:
    """As a live batch: what the history lacks is applied, the rest changes nothing."""
    return await _merge_held(connection, kind, topics, await kind.hold(connection))


async def correct_own(connection: AsyncConnection, kind: Events, topics: Counter[str]) -> Replayed:
    """Correct the rows that came from these very records. What is no row's own source is left out,
    and named in `others`: it may be new, a repetition, in conflict, or misread before."""
    others = (await connection.execute(sources.leave_out_others(kind.history))).all()
    erased = await kind.hold(connection)
    corrected = Counter(await kind.correct(connection))
    found = Replayed(corrected=corrected, others=[row.seq for row in others])
    if not erased:
        return found
    counts = sources.by_topic(kind.history, kind.differs())
    left = {row.source_topic: row.staged for row in await connection.execute(counts)}
    topics = topics - Counter(left) - Counter(row.source_topic for row in others)
    return replace(found, erased=topics)


class Window(NamedTuple):
    """Offsets of a partition, from the first to before the end."""

    topic: str
    partition: int
    start: int
    end: int


async def stored_twice(
    database: Database, kind: Events, windows: Sequence[Window], most: int
) -> set[Place]:
    """Places in these windows of which there is more than one row, `most` of them. Reads the whole
    history."""
    topics, partitions, starts, ends = (list(part) for part in zip(*windows, strict=True))
    values = {"topics": topics, "partitions": partitions, "starts": starts, "ends": ends}
    async with database.snapshot() as connection:
        rows = await connection.execute(sources.stored_twice(kind.history).limit(most), values)
        return {Place(*row) for row in rows}


async def find_misread(connection: AsyncConnection, history: History) -> dict[int, Identity]:
    """What is staged and misread, as `Batches.look_up`."""
    await connection.execute(select(*BY_HASH))  # the table is read to its end, once
    rows = await connection.execute(sources.find_misread(history))
    return {row[0]: _identity(row[1:]) for row in rows}


async def merge_others(connection: AsyncConnection, kind: Events, topics: Counter[str]) -> Replayed:
    """As `merge_again`; but of what stands there with other content it is said from which record
    that is: that one could correct it."""
    found = await _merge_held(connection, kind, topics, await kind.hold(connection))
    if not (found.refused or found.decoded_differently):
        return found
    rows = await connection.execute(sources.conflicts(kind.history, kind.differs()))
    refused = {each.place: each for each in found.refused if each.other_provider}
    conflicts = [Conflict(Place(*row[:3]), Place(*row[3:])) for row in rows]
    return replace(
        found,
        decoded_differently=Counter(),  # by its time the record is another than the row's
        refused=list(refused.values()),
        conflicts=[each for each in conflicts if each.place not in refused],
    )


async def move(connection: AsyncConnection, kind: Events, topics: Counter[str]) -> Replayed:
    """Remove the rows that say what the events `was`, and add the events that their records say now
    that they are, holding the providers of both. What cannot be moved stays, and is in `stuck`."""
    history = kind.history
    await connection.execute(add_providers(history.staged))
    await connection.execute(sources.lock_both_providers(history))
    confirmed = {row.seq for row in await connection.execute(sources.confirm_misread(history))}
    stuck: list[int] = []
    while seqs := await kind.split(connection):
        for table in (history.staged, history.misread):
            await connection.execute(delete(table).where(table.c.seq.in_(seqs)))
        stuck += seqs
    if stuck:
        await connection.execute(sources.forget_new_providers(history))
    await kind.remove_misread(connection)
    found = await merge_others(connection, kind, topics)
    return replace(found, stuck=stuck, moved=sorted(confirmed.difference(stuck)))


def _identity(ids: Sequence[Any]) -> Identity:
    return Identity(ids[0], ids[1] if len(ids) > 2 else None, ids[-1])


async def _merge_held(
    connection: AsyncConnection, kind: Events, topics: Counter[str], erased: int
) -> Replayed:
    merged = await kind.merge(connection, topics.total(), erased)
    if not (merged.stored or erased or merged.decoded_differently):
        return Replayed(refused=merged.refused)
    rows = (await connection.execute(sources.by_topic(kind.history, kind.differs()))).all()
    left = Counter({row.source_topic: row.staged for row in rows})
    return Replayed(
        stored=Counter({row.source_topic: row.stored for row in rows if row.stored}),
        erased=topics - left if erased else Counter(),
        decoded_differently=Counter(
            {row.source_topic: row.differently for row in rows if row.differently}
        ),
        refused=merged.refused,
    )


async def provider_is_known(database: Database, provider_id: UUID) -> bool:
    """Whether any event of it was ever seen, and it was not erased."""
    known = select(select(providers).where(providers.c.provider_id == provider_id).exists())
    async with database.snapshot() as connection:
        return bool(await connection.scalar(known))
