"""What a statement that takes long is waiting for: the lock, and who keeps it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

if TYPE_CHECKING:
    from repositories.postgres.database import Database  # which imports this module

# Rows of other users are there without their state, unless one may read it (pg_read_all_stats).
ACTIVITY = text("""
    SELECT mine.state, mine.wait_event_type, mine.wait_event,
        coalesce(string_agg('PID ' || blocker || ' (' || coalesce(
            concat_ws(', ', nullif(other.application_name, ''), other.state), '') || ')',
            ' and '), '') AS keepers
    FROM pg_stat_activity mine
    LEFT JOIN LATERAL unnest(pg_blocking_pids(mine.pid)) AS blocker ON true
    LEFT JOIN pg_stat_activity other ON other.pid = blocker
    WHERE mine.pid = :backend
    GROUP BY 1, 2, 3
""")


@dataclass
class Work:
    """The transaction that is under way in some context: its database, and the server process that
    works for it (None: there is no connection yet). `ended` is how many have ended there."""

    database: "Database | None" = None
    backend: int | None = None
    ended: int = 0


@dataclass(frozen=True)
class Wait:
    """What a server process waits for. `keepers` names those that keep a lock from it; `event` is
    in PostgreSQL's words, such as `IO DataFileRead`."""

    keepers: str
    event: str


_watched: ContextVar[Work | None] = ContextVar("watched", default=None)


@contextmanager
def watching() -> Iterator[Work]:
    """What is returned shows, within the block, the transaction that is under way."""
    work = Work()
    token = _watched.set(work)
    try:
        yield work
    finally:
        _watched.reset(token)


@contextmanager
def under_way(database: "Database") -> Iterator[None]:
    """For `Database`, around a transaction; one may be within another."""
    work = _watched.get() or Work()
    before = work.database, work.backend
    work.database, work.backend = database, None
    try:
        yield
    finally:
        work.database, work.backend = before
        work.ended += 1


async def note_backend(connection: AsyncConnection) -> None:
    """For `Database`, once the transaction has a connection. Asks the server nothing."""
    if work := _watched.get():
        driver: Any = (await connection.get_raw_connection()).driver_connection
        work.backend = driver.get_server_pid()


async def wait_of(database: "Database", backend: int) -> Wait | None:
    """What the server process waits for; None where it is waiting for this service instead.

    A pooler hides which server process it is. Raises a RepositoryError. It looks from a snapshot,
    since a transaction would itself wait for a migration.
    """
    async with database.snapshot() as connection:
        found = (await connection.execute(ACTIVITY, {"backend": backend})).one_or_none()
    if found is None:
        return Wait("", "a pooler hides what it does")
    if found.state != "active":
        return None
    event = " ".join(filter(None, (found.wait_event_type, found.wait_event)))
    return Wait(found.keepers, event or "no wait")
