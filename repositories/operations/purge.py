"""Forgetting what operations keep for a while: dead letters, repaired rows."""

from datetime import timedelta

from sqlalchemy import Delete, and_, delete, func, or_

from repositories.operations.tables import dead_letters, repaired_rows
from repositories.postgres.database import Database
from repositories.vocabulary import LetterState

# Nothing more will become of these.
SETTLED = (LetterState.RESOLVED, LetterState.PARKED, LetterState.LOST)


async def purge_letters(database: Database, settled_for: timedelta, open_for: timedelta) -> int:
    """Forget letters that have been settled for so long, and others that first came so long ago,
    by when no topic has the message any more; returns how many."""
    letter, now = dead_letters.c, func.clock_timestamp()
    settled = letter.state.in_(SETTLED)
    long_settled = and_(settled, letter.state_since < now - settled_for)
    long_open = and_(~settled, letter.first_seen_at < now - open_for)
    return await _purged(database, delete(dead_letters).where(or_(long_settled, long_open)))


async def purge_repaired_rows(database: Database, kept_for: timedelta) -> int:
    """Forget what was repaired so long ago; returns how many rows."""
    long_ago = repaired_rows.c.repaired_at < func.clock_timestamp() - kept_for
    return await _purged(database, delete(repaired_rows).where(long_ago))


async def _purged(database: Database, rows: Delete) -> int:
    async with database.transaction() as connection:
        return (await connection.execute(rows)).rowcount
