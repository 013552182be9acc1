"""Whether the database is what this version needs: looked at before anything is done."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from consumers.engine.retry import RetryPolicy, set_within
from migrations.revisions import require_head
from repositories.errors import (
    DatabaseAbsent,
    DatabaseUnavailable,
    NotAdmitted,
    RepositoryError,
)
from repositories.postgres.database_url import DatabaseUrl
from repositories.postgres.requirements import (
    inspection,
    require_same_database,
    require_usable,
    revision_of,
)
from service.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 30  # for all of it; a host that answers nothing costs its connect_timeout


async def check_database(settings: Settings) -> None:
    """Raises RepositoryErrors: SchemaMissing, DatabaseUnsuitable, …, each with its remedy."""
    direct = DatabaseUrl.parse(settings.session_url)
    try:
        async with asyncio.timeout(LOOK_SECONDS), inspection(direct) as connection:
            await require_usable(connection, direct)
            require_head(await revision_of(connection))
            if settings.database_direct_url is not None:
                pooled = DatabaseUrl.parse(settings.database_url.get_secret_value())
                await require_same_database(connection, pooled)
    except TimeoutError:
        raise DatabaseUnavailable(
            f"{direct.named()}: no answer within {LOOK_SECONDS} seconds"
        ) from None


async def wait_for_database(settings: Settings, stop: asyncio.Event) -> None:
    """`check_database`, again and again while it is away, until it is there or `stop` is set.

    Raises what does not pass, also that there is no database of this name, or that it lets this
    user not in: nobody can have been restoring it, or changing a password, for as long as the
    service has been running.
    """
    attempt = 0
    policy = RetryPolicy(longest=settings.retry_longest_pause_seconds)
    while not stop.is_set():
        if settings.heartbeat_file:  # its job has not begun; a fault of the file it will name
            with suppress(OSError):
                await asyncio.to_thread(settings.heartbeat_file.touch)
        try:
            await _unless_stopped(check_database(settings), stop)
        except RepositoryError as error:
            if not error.retriable or isinstance(error, DatabaseAbsent | NotAdmitted):
                raise
            attempt += 1
            log.warning("failed while looking at the database, trying again: %s", error)
        else:
            return
        await set_within(stop, policy.pause(attempt))


async def _unless_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """A server that hangs must not keep the process from ending."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, stopping):
        task.cancel()
    await asyncio.gather(working, stopping, return_exceptions=True)
    if not working.cancelled():
        working.result()
