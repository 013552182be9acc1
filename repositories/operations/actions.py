"""What operators did, and who looked at patients' data: rows that are added and closed, no more.

While an action is under way its process keeps an advisory lock that is named for the action, on a
session of its own. A process that is killed lets go of it. So an action that is open and whose lock
nobody has is of a process that is gone, and whoever looks closes it as broken off.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from repositories.operations.tables import operator_actions as actions
from repositories.postgres.database import Database
from repositories.vocabulary import ActionOutcome

DOWNLOAD = "report download"  # over HTTP
# A download keeps no session, however slow its client is; by then it has ended, one way or another.
MAY_GO_ON = sa.and_(
    actions.c.command == DOWNLOAD,
    actions.c.started_at > sa.func.now() - sa.literal_column("interval '6 hours'"),
)
KEEP = "SELECT pg_advisory_lock(hashtextextended($1, 0))"
NOBODY_HAS_IT = sa.func.pg_try_advisory_xact_lock(
    sa.func.hashtextextended(sa.cast(actions.c.action_id, sa.Text), 0)
)


@dataclass(frozen=True)
class RecordedAction:
    """A row of `operator_actions`. It is under way while it has no `outcome`."""

    action_id: UUID
    who: str
    command: str
    arguments: dict[str, Any]
    why: str | None
    started_at: datetime
    ended_at: datetime | None
    outcome: ActionOutcome | None
    counts: dict[str, Any] | None


@asynccontextmanager
async def held(database: Database, action_id: UUID) -> AsyncIterator[None]:
    """Within the block others can tell that the action's process lives. Enter it before the row is
    there: nobody may find the row without the lock."""
    async with database.session() as session:
        await session.execute("SET idle_session_timeout = 0")
        await session.execute(KEEP, str(action_id))
        yield


async def begin_action(
    database: Database,
    who: str,
    command: str,
    arguments: Mapping[str, Any],
    why: str | None,
    *,
    action_id: UUID | None = None,
) -> UUID:
    """Note that something begins; its id. `arguments` are JSON, and nothing of a patient."""
    begun = action_id or uuid4()
    given = {"who": who, "command": command, "arguments": dict(arguments), "why": why}
    async with database.transaction() as connection:
        await connection.execute(actions.insert().values(action_id=begun, **given))
    return begun


async def end_action(
    database: Database, action_id: UUID, outcome: ActionOutcome, counts: Mapping[str, Any]
) -> None:
    """Close it: for its own process, once.

    Whose word counts, also over that of somebody who closed the action because its lock was gone:
    with the server's connections locks go too, and the process may have lived on.
    """
    values = {"ended_at": sa.func.now(), "outcome": outcome, "counts": dict(counts)}
    async with database.transaction() as connection:
        await connection.execute(
            actions.update().values(values).where(actions.c.action_id == action_id)
        )


async def close_abandoned(database: Database) -> int:
    """Close the actions of processes that are gone as broken off; how many there were.

    When a process went is not known: the row says when that was noticed.
    """
    values = {"ended_at": sa.func.now(), "outcome": ActionOutcome.BROKEN_OFF}
    open_ones = actions.update().values(values).where(actions.c.ended_at.is_(None))
    async with database.transaction() as connection:
        return (await connection.execute(open_ones.where(~MAY_GO_ON, NOBODY_HAS_IT))).rowcount


async def recorded_actions(
    database: Database,
    *,
    since: datetime | None = None,
    command: str | None = None,
    action_id: UUID | None = None,
    limit: int = 50,
) -> Sequence[RecordedAction]:
    """The newest first. `command` names one (`erase provider`), or all that begin so (`erase`)."""
    rows = sa.select(*(actions.c[each.name] for each in fields(RecordedAction)))
    if action_id:
        rows = rows.where(actions.c.action_id == action_id)
    if since:
        rows = rows.where(actions.c.started_at >= since)
    if command:
        below = sa.func.starts_with(actions.c.command, f"{command} ")
        rows = rows.where(sa.or_(actions.c.command == command, below))
    async with database.snapshot() as connection:
        found = await connection.execute(rows.order_by(actions.c.started_at.desc()).limit(limit))
        return [RecordedAction(*row) for row in found]
