"""What runs beside the consumers in the service's process."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from consumers.waiting import set_within
from repositories.database import Database
from repositories.errors import RepositoryError
from repositories.top_code_flush import flush_top_codes
from service.settings import Settings

log = logging.getLogger(__name__)

# Runs until the event is set; an error that it raises stops the service.
Job = Callable[[Database, asyncio.Event], Awaitable[None]]


def top_codes_job(settings: Settings) -> Job:
    """Brings `top_hsc_codes` up to its months, within the seconds that the settings say."""

    async def keep_up(database: Database, stop: asyncio.Event) -> None:
        while not await set_within(stop, settings.top_codes_seconds):
            try:
                await flush_top_codes(database)
            except RepositoryError as error:
                if not error.retriable:
                    raise
                # The marks stay where they are, for the next round.
                log.warning("failed while bringing top_hsc_codes up to date: %s", error)

    return keep_up
