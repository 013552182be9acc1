"""What runs beside the consumers in the service's process."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from consumers.engine.retry import set_within, tell_failure
from consumers.supervision.outage import Outage
from consumers.supervision.pulse import working
from consumers.supervision.watch import watched
from repositories.claims.fill import Filling
from repositories.claims.top_code_flush import flush_top_codes
from repositories.errors import LockNotAvailable, RepositoryError
from repositories.postgres.database import Database
from service.settings import Settings

log = logging.getLogger(__name__)

# Providers can be behind after `migrate`, or after a restore, while instances run.
LOOK_FOR_BEHIND_SECONDS = 30.0
TELL_SECONDS = 10.0  # between lines on how far it is
FILLING = "filling in figures of this version"

# Runs until the event is set; an error that it raises stops the service.
Job = Callable[[Database, asyncio.Event], Coroutine[Any, Any, None]]


def name_of(job: Job) -> str:
    """That of its function or class, for the watchdog."""
    return str(getattr(job, "__name__", type(job).__name__))


async def every(
    seconds: float | Callable[[], float],
    work: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
    *,
    doing: str,
    errors: tuple[type[Exception], ...] = (RepositoryError,),
) -> None:
    """Do `work` at once, and again after each pause of so many seconds, until `stop` is set.

    What fails with one of `errors` that says it is `retriable` is logged as "failed while `doing`"
    and done again the next time; other errors are raised.
    """
    outage = Outage(doing)
    while not stop.is_set():
        try:
            with working(doing), watched(outage):
                await work()
        except errors as error:
            if not getattr(error, "retriable", False):
                raise
            tell_failure(outage, error)
        else:
            outage.over()
        await set_within(stop, seconds() if callable(seconds) else seconds)


def top_codes_job(settings: Settings) -> Job:
    """Brings `top_hsc_codes` up to its months, within the seconds that the settings say.

    Where it fails the marks stay where they are, for the next round.
    """

    async def top_codes(database: Database, stop: asyncio.Event) -> None:
        async def flush() -> None:
            with suppress(LockNotAvailable):  # a long batch: the marks stay for the next round
                await flush_top_codes(database)

        await every(
            settings.top_codes_seconds, flush, stop, doing="bringing top_hsc_codes up to date"
        )

    return top_codes


class FillJob:
    """Fills in what a newer version keeps, a few providers at a time, until none is left.

    Any number of instances share them out. How far it is goes to the log.
    """

    def __init__(self) -> None:
        self._filling = Filling()
        self._pause = 0.0
        self._filled = 0
        self._next_line = 0.0

    async def __call__(self, database: Database, stop: asyncio.Event) -> None:
        await every(lambda: self._pause, lambda: self._step(database), stop, doing=FILLING)

    async def _step(self, database: Database) -> None:
        self._pause = 0.0
        try:
            filled, left = await self._filling.step(database)
        except LockNotAvailable:  # a long batch: the provider's turn comes again
            return
        self._filled += filled
        if not left:
            self._pause = LOOK_FOR_BEHIND_SECONDS
        now = time.monotonic()
        if filled and (not left or now >= self._next_line):
            self._next_line = now + TELL_SECONDS
            log.info(
                "filled in figures of this version",
                extra={"providers": self._filled, "providers_left": left},
            )
