"""How far a rebuild is, in its row of `operator_actions`: where the next one goes on if it dies."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from repositories.operations.tables import operator_actions
from repositories.postgres.database import Database
from repositories.vocabulary import ActionOutcome


class Unfinished(NamedTuple):
    """An action that did not end well, or has not ended; `counts` is None if it noted none."""

    action_id: UUID
    started_at: datetime
    arguments: dict[str, Any]
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


async def unfinished_action(database: Database, command: str) -> Unfinished | None:
    """The newest of this command that no later one `resumes`."""
    later = operator_actions.alias("later")
    resumed = (
        sa.select(later)
        .where(later.c.command == operator_actions.c.command)
        .where(later.c.arguments["resumes"].as_string() == _text(operator_actions.c.action_id))
        .exists()
    )
    columns = (operator_actions.c[name] for name in Unfinished._fields)
    newest = (
        sa.select(*columns)
        .where(operator_actions.c.command == command)
        .where(operator_actions.c.outcome.is_distinct_from(ActionOutcome.DONE), ~resumed)
        .order_by(operator_actions.c.started_at.desc())
        .limit(1)
    )
    async with database.snapshot() as connection:
        row = (await connection.execute(newest)).one_or_none()
    return Unfinished(*row) if row else None


def _text(column: sa.ColumnElement[UUID]) -> sa.ColumnElement[str]:
    return sa.cast(column, sa.Text)
