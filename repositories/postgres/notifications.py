"""Waking up who waits for work: LISTEN and NOTIFY, with a slow poll behind them.

NOTIFY goes out with the transaction that makes the work, so whoever is woken finds it. Nothing
depends on it: behind a pooler that passes no notifications on, or while the listening connection
is away, the slow poll finds the same work some seconds later.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.errors import RepositoryError
from repositories.postgres.database import Database

log = logging.getLogger(__name__)

RECONNECT_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0  # while the database is away for long
# A server whose host is gone says nothing; a statement now and then finds that out.
CHECK_SECONDS = 60.0
CHECK_TIMEOUT_SECONDS = 5.0

Found = TypeVar("Found")


class Channel(StrEnum):
    """What notifications are about; a channel is one for the whole database."""

    REPORT_JOBS = "claim_analytics_report_jobs"  # a report is due
    OUTBOX = "claim_analytics_outbox"  # an announcement is to be sent


async def notify(connection: AsyncConnection, channel: Channel) -> None:
    """Wake up who waits, in every process, once the caller's transaction has committed.

    Transactions that notify commit one after the other, in the whole database: not for batches of
    claims.
    """
    await connection.execute(select(func.pg_notify(channel, "")))


class Notifications:
    """What the waiters of one process share; without `listen` they have the slow poll alone."""

    def __init__(self) -> None:
        self._woken = {channel: asyncio.Event() for channel in Channel}
        self._turns = {channel: asyncio.Lock() for channel in Channel}

    async def wait_for(
        self,
        channel: Channel,
        look: Callable[[], Awaitable[Found]],
        stop: asyncio.Event,
        poll_seconds: float,
    ) -> Found | None:
        """The first true result of `look`; None once `stop` is set.

        It looks at once, at every notification, and after `poll_seconds` without any. Of the
        waiters of a process one looks at a time, so that their number costs nothing while there
        is nothing to do.
        """
        async with self._turns[channel]:
            while not stop.is_set():
                self._woken[channel].clear()  # before looking: what comes meanwhile is looked for
                if found := await look():
                    return found
                await _first_of(self._woken[channel], stop, within=poll_seconds)
        return None

    def wake_after(self, channel: Channel, seconds: float) -> None:
        """Let a waiter of this process look again then."""
        asyncio.get_running_loop().call_later(seconds, self._woken[channel].set)

    async def listen(self, database: Database, stop: asyncio.Event) -> None:
        """Keep the process's one listening connection until `stop` is set.

        Raises nothing: without the connection there is still the slow poll.
        """
        pause = RECONNECT_SECONDS
        while not stop.is_set():
            try:
                await self._listen(database, stop)
                pause = RECONNECT_SECONDS
            except Exception as error:  # noqa: BLE001  # the slow poll is there, whatever it is
                why = error if isinstance(error, RepositoryError) else type(error).__name__
                log.warning("not listening for notifications, trying again: %s", why)
            await _first_of(stop, within=pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _listen(self, database: Database, stop: asyncio.Event) -> None:
        """Returns when the connection is lost, or `stop` is set."""
        lost = asyncio.Event()
        async with database.session() as connection:
            connection.add_termination_listener(lambda _: lost.set())
            for channel, woken in self._woken.items():
                await connection.add_listener(channel, lambda *_, woken=woken: woken.set())
                woken.set()  # for what was notified while nobody listened
            while True:
                await _first_of(stop, lost, within=CHECK_SECONDS)
                if stop.is_set() or lost.is_set():
                    return
                await connection.execute("SELECT 1", timeout=CHECK_TIMEOUT_SECONDS)


async def _first_of(*events: asyncio.Event, within: float) -> None:
    """Wait until one of the events is set, but no longer than this."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
