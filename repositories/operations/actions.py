"""What operators did, and who looked at patients' data: rows that are added and closed, no more."""

from collections.abc import Mapping
from typing import Any
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
