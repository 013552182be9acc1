"""Applying a batch of the AI coach's events: one transaction, whatever the batch's size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from uuid import UUID

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.elements import ClauseElement

from repositories import batch_providers
from repositories.claims.batch import prepare
from repositories.offsets import NextOffset, store_offsets
from repositories.operations.letters import (
    NO_LETTERS,
    BatchLetters,
    Letter,
    not_erased,
    record_letters,
)
from repositories.postgres.database import Database
from repositories.statements import compiled
from repositories.suggestions import merge as suggestion_merge
from repositories.suggestions.rows import SuggestionRow
from repositories.suggestions.tables import staged_suggestions
from repositories.tombstones import anything_erased


@dataclass(frozen=True)
class RefusedSuggestion:
    """Where an event was read whose id came with other content before; what came first stands.

    The ids are the event's own, and no part of what tells two of them apart.
    """

    topic: str
    partition: int
    offset: int
    claim_id: UUID | None = field(default=None, compare=False)
    provider_id: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True)
class AppliedSuggestions:
    """What became of a batch. Every event is counted once; `changed_rows` counts cache rows.

    `applied` were new; `duplicate` were there already; `refused` are dead letters; `erased` are of
    a provider that was erased, and changed nothing; `decoded_differently` are the very records that
    stored rows came from, and read differently now: as duplicates they change nothing.
    """

    applied: int = 0
    duplicate: int = 0
    refused: tuple[RefusedSuggestion, ...] = ()
    changed_rows: int = 0
    erased: int = 0
    decoded_differently: int = 0


async def apply_suggestion_batch(
    database: Database,
    rows: Sequence[SuggestionRow],
    offsets: Sequence[NextOffset],
    judge: Callable[[AppliedSuggestions], Sequence[Letter]] = lambda _: (),
    letters: BatchLetters = NO_LETTERS,
) -> AppliedSuggestions:
    """Store and count `rows`, in the order of their arrival, and store `offsets`, at once.

    `judge` is called before the commit: what it raises rolls back and is raised here, and what it
    returns are the refused events' letters, which are recorded with those of the batch. Raises
    DatabaseUnavailable (retry the same call) or another RepositoryError (a fault that a person must
    see). After any of them nothing has changed.
    """
    async with database.transaction() as connection:
        if letters.dead:
            # Before the lock of the erasures, as everywhere.
            await connection.execute(_statement("prepare"))
        dead = await not_erased(connection, letters.dead)
        applied = await _merge(connection, rows) if rows else AppliedSuggestions()
        await record_letters(connection, letters, [*dead, *judge(applied)])
        await store_offsets(connection, offsets)
    return applied


async def _merge(connection: AsyncConnection, rows: Sequence[SuggestionRow]) -> AppliedSuggestions:
    """In the order of locks that claim batches keep to: the horizon, then the providers."""
    await connection.execute(_statement("prepare"))
    await stage_suggestions(connection, rows)
    return await merge_held(connection, len(rows), await hold_providers(connection))


async def hold_providers(connection: AsyncConnection) -> int:
    """Lock the providers of what is staged, and leave out what was erased: so many events."""
    await connection.execute(_statement("add_providers"))
    await connection.execute(_statement("lock_providers"))
    return await _leave_out_erased(connection)


async def merge_held(connection: AsyncConnection, events: int, erased: int) -> AppliedSuggestions:
    """The rest of it: `events` were staged, and `erased` of them left out."""
    counts = (await connection.execute(_statement("merge"))).mappings().one()
    refused, differently = (
        await _refused(connection) if erased + counts["stored"] < events else ((), 0)
    )
    return AppliedSuggestions(
        applied=counts["stored"],
        duplicate=events - erased - counts["stored"] - len(refused) - differently,
        refused=refused,
        changed_rows=counts["changed_rows"],
        erased=erased,
        decoded_differently=differently,
    )


async def stage_suggestions(connection: AsyncConnection, rows: Sequence[SuggestionRow]) -> None:
    """COPY the batch into this connection's temporary table, past SQLAlchemy; a statement must have
    run before, which begins the transaction."""
    await connection.execute(_statement("staging"))
    raw = await connection.get_raw_connection()
    await raw.driver_connection.copy_records_to_table(  # type: ignore[union-attr]  # asyncpg's own
        staged_suggestions.name,
        records=((seq, *row) for seq, row in enumerate(rows)),
        columns=("seq", *SuggestionRow._fields),
        schema_name="pg_temp",
    )


async def _leave_out_erased(connection: AsyncConnection) -> int:
    """How many events are of erased providers; after the locks, so that an erasure that held them
    is seen."""
    if not await connection.scalar(_statement("anything_erased")):
        return 0
    return int(await connection.scalar(_statement("leave_out_erased")) or 0)


async def _refused(connection: AsyncConnection) -> tuple[tuple[RefusedSuggestion, ...], int]:
    """Dead letters, and how many events are their rows' own source."""
    rows = (await connection.execute(_statement("refused"))).all()
    refused = tuple(RefusedSuggestion(*row[:-1]) for row in rows if not row.own_source)
    return refused, len(rows) - len(refused)


@cache
def _statement(name: str) -> TextClause:
    staged = suggestion_merge.staged
    makers: dict[str, Callable[[], ClauseElement]] = {
        "prepare": prepare,
        "staging": lambda: CreateTable(staged_suggestions, if_not_exists=True),
        "add_providers": partial(batch_providers.add_providers, staged),
        "lock_providers": partial(batch_providers.lock_providers, staged),
        "anything_erased": anything_erased,
        "leave_out_erased": partial(batch_providers.leave_out_erased_providers, staged),
        "merge": suggestion_merge.merge,
        "refused": suggestion_merge.refused,
    }
    return compiled(makers[name]())
