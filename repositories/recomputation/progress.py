"""How far a rebuild is, in its row of `operator_actions`: where the next one goes on if it dies."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from repositories.operations.tables import operator_actions
from repositories.postgres.database import Database
from repositories.vocabulary import ActionOutcome


class LatestAction(NamedTuple):
    """The newest row of a command; `outcome` is None while it is open."""

    action_id: UUID
    arguments: dict[str, Any]
    outcome: ActionOutcome | None
    counts: dict[str, Any] | None


async def note_counts(database: Database, action_id: UUID, counts: Mapping[str, Any]) -> None:
    """What an action that is still open has done: all that is known if its process is killed."""
    async with database.transaction() as connection:
        await connection.execute(
            operator_actions.update()
            .values(counts=dict(counts))
            .where(operator_actions.c.action_id == action_id)
            .where(operator_actions.c.ended_at.is_(None))
        )


async def latest_action(database: Database, command: str) -> LatestAction | None:
    """What was begun last with this command."""
    columns = (operator_actions.c[name] for name in LatestAction._fields)
    newest = (
        sa.select(*columns)
        .where(operator_actions.c.command == command)
        .order_by(operator_actions.c.started_at.desc())
        .limit(1)
    )
    async with database.snapshot() as connection:
        row = (await connection.execute(newest)).one_or_none()
    return LatestAction(*row) if row else None
