"""Applying a batch of claim events: one transaction, whatever the batch's size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Select, TextClause, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql.elements import ClauseElement

from repositories import claim_merge
from repositories.claim_rows import ClaimEventRow
from repositories.consumer_offsets import NextOffset, store_offsets
from repositories.database import Database
from repositories.errors import ConcurrentClaim
from repositories.statements import BY_INDEX, compiled
from repositories.tables import staged_claim_events

# Batches share it; moving the cache's horizon takes it alone. The number spells "claims".
HORIZON_LOCK = 0x636C61696D73
STAGED_COLUMNS = ("seq", *ClaimEventRow._fields)


class Breach(StrEnum):
    """How an event breaks the publisher's contract; the first event stands, this one does not."""

    PROVIDER_MISMATCH = "provider-mismatch"  # the claim belongs to another provider
    VERSION_CONFLICT = "version-conflict"  # this version of the claim has other content


@dataclass(frozen=True)
class Merged:
    """What became of a batch. Every event is counted in exactly one of the first four.

    `applied` changed history and, unless a higher version came with it, the claim; `stale` came
    after a higher version and only joined the history; `duplicate` was there already; `breaches`
    maps positions in the batch to what is wrong. `changed_rows` counts rows of the cache.
    """

    applied: int = 0
    stale: int = 0
    duplicate: int = 0
    breaches: dict[int, Breach] = field(default_factory=dict)
    changed_rows: int = 0


async def apply_claim_batch(
    database: Database, events: Sequence[ClaimEventRow], offsets: Sequence[NextOffset]
) -> Merged:
    """Merge `events`, in the order of their arrival, and store `offsets`, in one transaction.

    Raises DatabaseUnavailable or ConcurrentClaim (retry the same call) or another
    RepositoryError (a fault that a person must see). After any of them nothing has changed.
    """
    async with database.transaction() as connection:
        merged = await merge_events(connection, events) if events else Merged()
        await store_offsets(connection, offsets)
    return merged


async def merge_events(
    connection: AsyncConnection, events: Sequence[ClaimEventRow], *, with_metrics: bool = True
) -> Merged:
    """The merge alone, in the caller's transaction. `with_metrics=False` is for benchmarks."""
    await connection.execute(_prepare())
    await _stage(connection, events)
    await connection.execute(_statement("add_providers"))
    await connection.execute(_statement("lock_providers"))
    name = "merge" if with_metrics else "merge_without_metrics"
    counts = (await connection.execute(_statement(name))).mappings().one()
    if counts["recorded"] != counts["fresh"] or counts["merged"] != counts["winners"]:
        raise ConcurrentClaim("another batch brought one of these claims for another provider")
    explained = counts["fresh"] + counts["repeated"]
    breaches = await _breaches(connection) if explained < len(events) else {}
    return Merged(
        applied=counts["fresh"] - counts["stale"],
        stale=counts["stale"],
        duplicate=len(events) - counts["fresh"] - len(breaches),
        breaches=breaches,
        changed_rows=counts.get("changed_rows", 0),
    )


def _prepare() -> Select[Any]:
    """Keep the horizon where it is, and events looked up by index."""
    return select(func.pg_advisory_xact_lock_shared(HORIZON_LOCK), *BY_INDEX)


async def _stage(connection: AsyncConnection, events: Sequence[ClaimEventRow]) -> None:
    """COPY the batch into this connection's temporary table.

    The transaction must have begun (a statement must have run): the COPY goes past SQLAlchemy,
    which begins a transaction with the first statement only, and the table is emptied at its end.
    """
    await connection.execute(_statement("staging"))
    raw = await connection.get_raw_connection()
    await raw.driver_connection.copy_records_to_table(  # type: ignore[union-attr]  # asyncpg's own
        staged_claim_events.name,
        records=[(seq, *event) for seq, event in enumerate(events)],
        columns=STAGED_COLUMNS,
        schema_name="pg_temp",
    )


async def _breaches(connection: AsyncConnection) -> dict[int, Breach]:
    rows = await connection.execute(_statement("rejected"))
    return {
        seq: Breach.PROVIDER_MISMATCH if provider_mismatch else Breach.VERSION_CONFLICT
        for seq, provider_mismatch in rows
    }


@cache
def _statement(name: str) -> TextClause:
    makers: dict[str, Callable[[], ClauseElement]] = {
        "staging": lambda: CreateTable(staged_claim_events, if_not_exists=True),
        "add_providers": claim_merge.add_providers,
        "lock_providers": claim_merge.lock_providers,
        "merge": claim_merge.merge,
        "merge_without_metrics": lambda: claim_merge.merge(with_metrics=False),
        "rejected": claim_merge.rejected,
    }
    return compiled(makers[name]())
