"""How far this instance's clock is off the database's, which alone decides about rows.

The instance's clock still stamps its log lines, and decides whether certificates are valid.
"""

import asyncio
import logging
import time

from consumers.engine.retry import set_within
from consumers.supervision.outage import Outage
from consumers.supervision.pulse import working
from consumers.supervision.watch import watched
from repositories.errors import RepositoryError
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database

log = logging.getLogger(__name__)

MOST_SECONDS_OFF = 30.0
LOOK_SECONDS = 60.0
REPEAT_LOOKS = 10


async def seconds_ahead(database: Database) -> float:
    """How far this instance's clock is ahead of the database's, at least; behind is negative.

    Raises RepositoryErrors. How long the answer took is taken off: it says nothing of the clocks.
    """
    asked = time.time()
    theirs = (await database_time(database)).timestamp()
    answered = time.time()
    if asked <= theirs <= answered:
        return 0.0
    return asked - theirs if theirs < asked else answered - theirs


async def watch_clock(database: Database, stop: asyncio.Event) -> None:
    """Say at the start, and then now and then, that the clocks disagree; until `stop` is set.

    While the database does not answer nothing is said: others say that.
    """
    looks, outage = 0, Outage("comparing the clocks")
    while True:
        try:
            with working(outage.doing), watched(outage):
                ahead = await seconds_ahead(database)
        except RepositoryError as error:
            if not error.retriable:
                raise
        else:
            outage.over()
            looks = _tell(ahead, looks)
        if await set_within(stop, LOOK_SECONDS):
            return


def _tell(ahead: float, looks: int) -> int:
    """The number of looks that found the clocks apart, this one included."""
    if abs(ahead) <= MOST_SECONDS_OFF:
        if looks:
            log.info("this instance's clock agrees with the database's again")
        return 0
    if looks % REPEAT_LOOKS == 0:
        log.warning(
            "this instance's clock is %.0f seconds %s the database's: set both by NTP. The"
            " database's decides about reports; the times of log lines are this instance's",
            abs(ahead), "ahead of" if ahead > 0 else "behind",
            extra={"seconds_ahead": round(ahead, 1)},
        )  # fmt: skip
    return looks + 1
