"""The fleet's numbers out of the database, no older than some seconds, on whichever loop asks."""

import asyncio
import time
from contextlib import suppress

from repositories.errors import RepositoryError
from repositories.operations.fleet import FleetNumbers, fleet_numbers
from repositories.postgres.database import Database
from service.operations.nightly import JOB

FRESH_SECONDS = 10.0
SHARE = 50  # a look that takes long is not repeated before so many times as long
ANSWER_SECONDS = 3.0  # a database that takes longer counts as away
PATIENCE_SECONDS = 0.01  # a scrape gets what there is, rather than wait for longer …
FIRST_SECONDS = 1.0  # … unless there is nothing yet


class Fleet:
    """Looks when it is asked and what it has is old; while the database is away it keeps that."""

    def __init__(self) -> None:
        self.numbers: FleetNumbers | None = None
        self.up: bool | None = None  # whether the last look succeeded; None: it has not ended
        self._looked_at = 0.0  # when `numbers` were asked for, by the monotonic clock
        self._next = 0.0
        self._looking: asyncio.Task[None] | None = None

    @property
    def age(self) -> float | None:
        """In seconds; None where there are no numbers."""
        return time.monotonic() - self._looked_at if self.numbers else None

    async def refresh(self, database: Database) -> None:
        """Bring the numbers up to date if that takes no longer than a scrape can wait; a look that
        takes longer goes on by itself. Raises nothing of the database's."""
        if self._looking is None and time.monotonic() >= self._next:
            self._looking = asyncio.create_task(self._look(database))
        if looking := self._looking:  # scrapes that come together share it
            patience = PATIENCE_SECONDS if self.numbers or self.up is False else FIRST_SECONDS
            await asyncio.wait({looking}, timeout=patience)
            if looking.done():
                self._looking = None if self._looking is looking else self._looking
                looking.result()

    async def close(self) -> None:
        """Before the database is closed."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self, database: Database) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self.numbers = await fleet_numbers(database, JOB)
            self._looked_at, self.up = began, True
        except (RepositoryError, TimeoutError):
            self.up = False
        took = time.monotonic() - began
        self._next = began + max(FRESH_SECONDS, SHARE * took if self.up else 0.0)
