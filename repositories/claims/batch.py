"""Applying a batch of claim events: one transaction, whatever the batch's size."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select, TextClause, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.elements import ClauseElement

from repositories import batch_providers
from repositories.claims import erased as claim_erased
from repositories.claims import merge as claim_merge
from repositories.claims.rows import ClaimEventRow
from repositories.errors import ConcurrentClaim
from repositories.metrics.upsert import remove_empty_days
from repositories.offsets import NextOffset, store_offsets
from repositories.operations.letters import (
    NO_LETTERS,
    BatchLetters,
    Letter,
    not_erased,
    record_letters,
)
from repositories.postgres.database import Database
from repositories.statements import BY_INDEX, compiled
from repositories.tables import staged_claim_events
from repositories.tombstones import anything_erased

# Batches share it; moving the cache's horizon takes it alone. The number spells "claims".
HORIZON_LOCK = 0x636C61696D73
STAGED_COLUMNS = ("seq", *ClaimEventRow._fields)
LINES_AT_ONCE = 500


@dataclass(frozen=True)
class RefusedEvent:
    """An event that breaks the publisher's contract; what came first stands.

    The claim belongs to another provider, or else this version of it has other content. The ids are
    the event's own, and no part of what tells two of them apart.
    """

    topic: str
    partition: int
    offset: int
    other_provider: bool
    claim_id: UUID | None = field(default=None, compare=False)
    provider_id: UUID | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Merged:
    """What became of a batch. Every event is counted once; `changed_rows` counts cache rows.

    `applied` changed history and, unless a higher version came with it, the claim; `stale` came
    after a higher version and only joined the history; `duplicate` was there already, or its claim
    was and is removed since; `refused` are dead letters; `erased` is of a provider that was erased,
    and changed nothing. `decoded_differently` is the very record that a history row came from, and
    reads differently now: as a duplicate it changes nothing. `corrected` of those applied are
    higher versions of claims that were there before.
    """

    applied: int = 0
    stale: int = 0
    duplicate: int = 0
    refused: tuple[RefusedEvent, ...] = ()
    changed_rows: int = 0
    erased: int = 0
    decoded_differently: int = 0
    corrected: int = 0


async def apply_claim_batch(
    database: Database,
    events: Sequence[bytes],
    offsets: Sequence[NextOffset],
    judge: Callable[[Merged], Sequence[Letter]] = lambda _: (),
    letters: BatchLetters = NO_LETTERS,
) -> Merged:
    """Merge `events`, in the order of their arrival, and store `offsets`, in one transaction.

    Events are lines of `copy_line`. `judge` is called before the commit: what it raises rolls back
    and is raised here, and what it returns are the refused events' letters, which are recorded
    with those of the batch. Raises DatabaseUnavailable or ConcurrentClaim (retry the same call) or
    another RepositoryError (a fault that a person must see). After any of them nothing has changed.
    """
    async with database.transaction() as connection:
        if letters.dead:
            # Before the lock of the erasures, as everywhere.
            await connection.execute(_statement("prepare"))
        dead = await not_erased(connection, letters.dead)
        merged = await merge_events(connection, events) if events else Merged()
        await record_letters(connection, letters, [*dead, *judge(merged)])
        await store_offsets(connection, offsets)
    return merged


async def merge_events(
    connection: AsyncConnection, events: Sequence[bytes], *, with_metrics: bool = True
) -> Merged:
    """The merge alone, in the caller's transaction. `with_metrics=False` is for benchmarks."""
    await connection.execute(_statement("prepare"))
    await stage_events(connection, events)
    erased = await hold_providers(connection)
    return await merge_held(connection, len(events), erased, with_metrics=with_metrics)


async def hold_providers(connection: AsyncConnection) -> int:
    """Lock the providers of what is staged, and leave out what was erased: so many events."""
    await connection.execute(_statement("add_providers"))
    await connection.execute(_statement("lock_providers"))
    return await _leave_out_erased(connection)


async def merge_held(
    connection: AsyncConnection, events: int, erased: int, *, with_metrics: bool = True
) -> Merged:
    """The rest of it: `events` were staged, and `erased` of them left out."""
    name = "merge" if with_metrics else "merge_without_metrics"
    counts = (await connection.execute(_statement(name))).mappings().one()
    if counts["recorded"] != counts["fresh"] or counts["merged"] != counts["changed"]:
        raise ConcurrentClaim("another batch brought one of these claims for another provider")
    if emptied := counts.get("emptied_days"):
        await connection.execute(remove_empty_days(emptied))
    explained = erased + counts["fresh"] + counts["repeated"]
    refused, differently = await _refused(connection) if explained < events else ((), 0)
    return Merged(
        applied=counts["fresh"] - counts["stale"],
        stale=counts["stale"],
        duplicate=events - erased - counts["fresh"] - len(refused) - differently,
        refused=refused,
        changed_rows=counts.get("changed_rows", 0),
        erased=erased,
        decoded_differently=differently,
        corrected=counts["corrected"],
    )


def prepare() -> Select[Any]:
    """Keep the horizon where it is, and events looked up by index."""
    return select(func.pg_advisory_xact_lock_shared(HORIZON_LOCK), *BY_INDEX)


async def stage_events(connection: AsyncConnection, events: Sequence[bytes]) -> None:
    """COPY the batch into this connection's temporary table.

    The transaction must have begun (a statement must have run): the COPY goes past SQLAlchemy,
    which begins a transaction with the first statement only, and the table is emptied at its end.
    """

    async def numbered() -> AsyncIterator[bytes]:
        for start in range(0, len(events), LINES_AT_ONCE):
            part = enumerate(events[start : start + LINES_AT_ONCE], start)
            yield b"".join([b"%d\t%b\n" % line for line in part])

    await connection.execute(_statement("staging"))
    raw = await connection.get_raw_connection()
    await raw.driver_connection.copy_to_table(  # type: ignore[union-attr]  # asyncpg's own
        staged_claim_events.name,
        source=numbered(),
        columns=STAGED_COLUMNS,
        schema_name="pg_temp",
    )


async def _leave_out_erased(connection: AsyncConnection) -> int:
    """How many events are of erased providers; those of removed claims are left out too, as
    duplicates, and those of erased patients lose the number.

    After the locks, and as statements of their own, so that an erasure that held them is seen.
    """
    anything, any_claim = (await connection.execute(_statement("anything_erased"))).one()
    if not anything:
        return 0
    left_out = int(await connection.scalar(_statement("leave_out_erased")) or 0)
    if any_claim:
        await connection.execute(_statement("leave_out_removed"))
    await connection.execute(_statement("empty_erased"))
    return left_out


async def _refused(connection: AsyncConnection) -> tuple[tuple[RefusedEvent, ...], int]:
    """Dead letters, and how many events are their history rows' own source."""
    rows = (await connection.execute(_statement("refused"))).all()
    refused = tuple(RefusedEvent(*row[:-1]) for row in rows if not row.own_source)
    return refused, len(rows) - len(refused)


@cache
def _statement(name: str) -> TextClause:
    makers: dict[str, Callable[[], ClauseElement]] = {
        "prepare": prepare,
        "staging": lambda: CreateTable(staged_claim_events, if_not_exists=True),
        "add_providers": partial(batch_providers.add_providers, claim_merge.staged),
        "lock_providers": partial(batch_providers.lock_providers, claim_merge.staged),
        "anything_erased": anything_erased,
        "leave_out_erased": partial(batch_providers.leave_out_erased_providers, claim_merge.staged),
        "leave_out_removed": claim_erased.leave_out_removed_claims,
        "empty_erased": claim_erased.empty_erased_claims,
        "merge": claim_merge.merge,
        "merge_without_metrics": lambda: claim_merge.merge(with_metrics=False),
        "refused": claim_merge.refused,
    }
    return compiled(makers[name]())
