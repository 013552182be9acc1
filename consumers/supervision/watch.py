"""Looking at statements that take long, from beside them: what they wait for goes to the log."""

import asyncio
import contextvars
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from consumers.supervision.outage import LONG_SECONDS, Outage
from consumers.supervision.pulse import Pulse, current_pulse
from repositories.errors import RepositoryError
from repositories.postgres.database import Database
from repositories.postgres.waiting import Work, wait_of, watching

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
ANSWER_SECONDS = 2.0  # for PostgreSQL to say what a statement waits for
LOOK_AT_POSTGRESQL = (
    "look whether PostgreSQL is up, and reachable from here (CLAIM_ANALYTICS_DATABASE_URL)"
)
RAISE_POOL_SIZE = "raise CLAIM_ANALYTICS_DATABASE_POOL_SIZE"
END_IT = "end that transaction where it was begun, or with SELECT pg_terminate_backend(PID)"


@dataclass(frozen=True)
class _Reason:
    """What is waited for; without a remedy it is no fault."""

    what_for: str
    remedy: str = ""


@contextmanager
def watched(outage: Outage) -> Iterator[None]:
    """What a transaction within the block waits for is told after five seconds, and each minute.

    A statement that is merely long is told at info level, and is no outage. Either is a sign of
    life of whoever waits, as is a transaction that has ended since the last look.
    """
    loop, pulse = asyncio.get_running_loop(), current_pulse()
    looks: list[asyncio.Task[None]] = []

    def look(work: Work) -> None:
        # Not in the context of what it looks at: it has a transaction of its own.
        looks.append(loop.create_task(_look(work, outage, pulse), context=contextvars.Context()))

    with watching() as work:
        timer = loop.call_later(PATIENCE_SECONDS, look, work)
        try:
            yield
        finally:
            timer.cancel()
            for task in looks:
                task.cancel()
                task.add_done_callback(_forget)


async def _look(work: Work, outage: Outage, pulse: Pulse) -> None:
    begun, ended = time.monotonic() - PATIENCE_SECONDS, 0
    while True:
        database, backend = work.database, work.backend
        reason = await _reason(database, backend) if database else None
        if reason or work.ended != ended:
            pulse.beat()
        ended = work.ended
        if reason and work.database and work.backend == backend:  # it did not go on meanwhile
            seconds = time.monotonic() - begun
            what = f"{outage.doing} has waited {seconds:.0f} s {reason.what_for}"
            if reason.remedy:
                outage.tell(what, reason.remedy, seconds=seconds)
            else:
                log.info("%s", what)
        await asyncio.sleep(LONG_SECONDS)  # between two lines of the log


async def _reason(database: Database, backend: int | None) -> _Reason | None:
    """None where it is no statement that takes long, but what this process does between them."""
    if database.all_taken:
        return _Reason("for PostgreSQL: all connections are taken", RAISE_POOL_SIZE)
    if backend is None:
        return _Reason("for a connection to PostgreSQL", LOOK_AT_POSTGRESQL)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            wait = await wait_of(database, backend)
    except (TimeoutError, RepositoryError):
        return _Reason("for a statement: PostgreSQL does not answer", LOOK_AT_POSTGRESQL)
    if wait is None:
        return None
    if wait.keepers:
        return _Reason(f"for a lock that {wait.keepers} keeps", END_IT)
    return _Reason(f"for PostgreSQL, which is at work on it ({wait.event})")


def _forget(look: asyncio.Task[None]) -> None:
    """Whatever came of it: nobody waits for it any more."""
    if not look.cancelled():
        look.exception()
