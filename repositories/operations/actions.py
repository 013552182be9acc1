"""What operators did, and who looked at patients' data: rows that are added and closed, no more."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from repositories.operations.tables import operator_actions
from repositories.postgres.database import Database
from repositories.vocabulary import ActionOutcome


async def begin_action(
    database: Database, who: str, command: str, arguments: Mapping[str, Any], why: str | None
) -> UUID:
    """Note that something begins; its id. `arguments` are JSON, and nothing of a patient."""
    row = {"who": who, "command": command, "arguments": dict(arguments), "why": why}
    async with database.transaction() as connection:
        insert = operator_actions.insert().values(row).returning(operator_actions.c.action_id)
        action_id: UUID = (await connection.execute(insert)).scalar_one()
    return action_id


async def end_action(
    database: Database, action_id: UUID, outcome: ActionOutcome, counts: Mapping[str, Any]
) -> None:
    """Close it, once: an action that is closed stays as it is."""
    values = {"ended_at": sa.func.now(), "outcome": outcome, "counts": dict(counts)}
    async with database.transaction() as connection:
        await connection.execute(
            operator_actions.update()
            .values(values)
            .where(operator_actions.c.action_id == action_id)
            .where(operator_actions.c.ended_at.is_(None))
        )


class LatestAction(NamedTuple):
    """The newest row of a command; `outcome` is None while it is open."""

    action_id: UUID
    arguments: dict[str, Any]
    outcome: ActionOutcome | None
    counts: dict[str, Any] | None


async def note_counts(database: Database, action_id: UUID, counts: Mapping[str, Any]) -> None:
    """How far an action is, that is still open: what is known of it if its process is killed."""
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
