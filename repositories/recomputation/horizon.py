"""The first month that the figures cover: how it is moved."""

import asyncio
from datetime import date
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.claims.batch import HORIZON_LOCK
from repositories.errors import LockNotAvailable
from repositories.postgres.database import Database
from repositories.tables import cache_horizon

# Whoever waits for the lock alone keeps new batches waiting behind it. So it waits a short time,
# lets the batches by, and tries again; a little longer each time, as the batches of a backlog take
# a second or two, and nobody waits for their latency.
LOCK_MILLISECONDS: Final = 300
LONGEST_MILLISECONDS: Final = 3_000
PAUSE_SECONDS: Final = 1.0
MOST_TRIES: Final = 30


async def read_horizon(connection: AsyncConnection) -> date | None:
    """None while there is none."""
    return await connection.scalar(sa.select(cache_horizon.c.first_month))


async def move_horizon(database: Database, first_month: date) -> bool:
    """Let figures begin with this month (its first day); whether that moved anything.

    Never back: rows from before the horizon are gone. No batch that counts by the old one is under
    way when it moves, and those to come count by the new one. Raises LockNotAvailable if somebody
    keeps it for a minute or two.
    """
    tries = 1
    while True:
        try:
            return await _try_to_move(database, first_month, tries * LOCK_MILLISECONDS)
        except LockNotAvailable:
            if tries == MOST_TRIES:
                raise
        tries += 1
        await asyncio.sleep(PAUSE_SECONDS)  # batches that hold the lock get on meanwhile


async def _try_to_move(database: Database, first_month: date, milliseconds: int) -> bool:
    limit = min(milliseconds, LONGEST_MILLISECONDS)
    moved = insert(cache_horizon).values(first_month=first_month)
    upsert = moved.on_conflict_do_update(
        index_elements=[cache_horizon.c.only_row],
        set_={"first_month": moved.excluded.first_month},
        where=cache_horizon.c.first_month < moved.excluded.first_month,
    )
    async with database.transaction() as connection:
        known = await read_horizon(connection)
        if known and known >= first_month:
            return False
        await connection.execute(sa.select(sa.func.set_config("lock_timeout", f"{limit}ms", True)))
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(HORIZON_LOCK)))
        return bool((await connection.execute(upsert)).rowcount)
