"""An operator's action leaves a row, whatever ends it."""

import asyncio
import getpass
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from repositories.operations.actions import begin_action, close_abandoned, end_action, held
from repositories.postgres.database import Database
from repositories.vocabulary import ActionOutcome
from service.settings import Settings


@dataclass(frozen=True)
class Action:
    """What is under way. `counts` go with the row when it is closed; they are JSON."""

    action_id: UUID
    counts: dict[str, Any] = field(default_factory=dict)


class BrokenOff(Exception):
    """Raised in the block of `noted`: the other side has ended it."""


@asynccontextmanager
async def recorded(
    settings: Settings,
    database: Database,
    command: str,
    arguments: Mapping[str, Any],
    why: str | None,
    *,
    who: str | None = None,
) -> AsyncIterator[Action]:
    """Open a row of `operator_actions`, and close it with the counts that the block has noted by
    then: as done, failed (an error, or an exit with a code), or broken off (Ctrl-C, SIGTERM).

    `who`: the name of whoever acts over HTTP; None: whoever runs this process.

    What a process leaves open that is killed is closed by the next action, or by who lists them.
    """
    action = Action(uuid4())
    async with held(database, action.action_id):
        await close_abandoned(database)
        acting, action_id = who or operator(settings), action.action_id
        await begin_action(database, acting, command, arguments, why, action_id=action_id)
        async with _closing(database, action):
            yield action


@asynccontextmanager
async def noted(
    database: Database, who: str, command: str, arguments: Mapping[str, Any]
) -> AsyncIterator[Action]:
    """As `recorded`, of what is done for somebody else, and without a session of its own: nothing
    is kept of the database meanwhile."""
    action = Action(await begin_action(database, who, command, arguments, None))
    async with _closing(database, action):
        yield action


@asynccontextmanager
async def _closing(database: Database, action: Action) -> AsyncIterator[None]:
    outcome = ActionOutcome.DONE
    try:
        yield
    except BrokenOff:
        outcome = ActionOutcome.BROKEN_OFF
        raise
    except (Exception, SystemExit):  # SystemExit is how a command fails; raised on
        outcome = ActionOutcome.FAILED
        raise
    except BaseException:  # Ctrl-C or cancelled; raised on
        outcome = ActionOutcome.BROKEN_OFF
        raise
    finally:
        await asyncio.shield(end_action(database, action.action_id, outcome, action.counts))


def operator(settings: Settings) -> str:
    """Who acts: what the setting says, else the user of this machine."""
    return settings.operator or f"{_user()}@{socket.gethostname()}"


def _user() -> str:
    """Its number where it has no name, as an arbitrary user in a container has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
