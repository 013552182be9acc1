"""An operator's action leaves a row, whatever ends it."""

import asyncio
import getpass
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from repositories.operations.actions import begin_action, end_action
from repositories.postgres.database import Database
from repositories.vocabulary import ActionOutcome
from service.settings import Settings


@dataclass(frozen=True)
class Action:
    """What is under way. `counts` go with the row when it is closed; they are JSON."""

    action_id: UUID
    counts: dict[str, Any] = field(default_factory=dict)


@asynccontextmanager
async def recorded(
    settings: Settings,
    database: Database,
    command: str,
    arguments: Mapping[str, Any],
    why: str | None,
) -> AsyncIterator[Action]:
    """Open a row of `operator_actions`, and close it with the counts that the block has noted by
    then: as done, failed (an error), or broken off (Ctrl-C, a cancellation)."""
    who = operator(settings)
    action = Action(await begin_action(database, who, command, arguments, why))
    outcome = ActionOutcome.DONE
    try:
        yield action
    except Exception:
        outcome = ActionOutcome.FAILED
        raise
    except BaseException:
        outcome = ActionOutcome.BROKEN_OFF
        raise
    finally:
        await asyncio.shield(end_action(database, action.action_id, outcome, action.counts))


def operator(settings: Settings) -> str:
    """Who acts: what the setting says, else the user of this machine."""
    return settings.operator or f"{getpass.getuser()}@{socket.gethostname()}"
