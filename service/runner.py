"""Running the service: its consumers and scheduled jobs, until told to stop or drained."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Iterator, Sequence
from typing import Any

from consumers.dead_letter_queue import DeadLetterQueue
from consumers.handler import Subscription
from consumers.progress import Progress
from repositories.database import Database
from repositories.errors import RepositoryError
from repositories.top_code_flush import flush_top_codes
from service import wiring
from service.settings import Settings

log = logging.getLogger(__name__)


class Service:
    """The consumers of some topics in one process, and the jobs that go with them."""

    def __init__(self, settings: Settings, subscriptions: Sequence[Subscription[Any]]) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._stop = asyncio.Event()
        self.progress = {subscription.name: Progress() for subscription in subscriptions}

    def stop(self) -> None:
        """Finish what is in flight, then return from `run`."""
        self._stop.set()

    async def run(self) -> None:
        """Run until `stop`, or until a consumer cannot go on: its error is raised then."""
        database = wiring.database(self._settings)
        letters = wiring.dead_letter_queue(self._settings)
        flushing = asyncio.create_task(self._keep_top_codes(database))
        try:
            await self._consume(database, letters)
            await flush_top_codes(database)
        finally:
            flushing.cancel()
            await asyncio.gather(flushing, return_exceptions=True)
            await letters.close()
            await database.close()

    async def _consume(self, database: Database, letters: DeadLetterQueue) -> None:
        consumers = [
            wiring.topic_consumer(
                self._settings, subscription, database, letters, self.progress[subscription.name]
            )
            for subscription in self._subscriptions
        ]
        running = [asyncio.create_task(consumer.run(self._stop)) for consumer in consumers]
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()  # the others finish their batches, whatever ended the first
        await asyncio.gather(*running, return_exceptions=True)
        for task in [*done, *running]:
            task.result()

    async def _keep_top_codes(self, database: Database) -> None:
        while True:
            await asyncio.sleep(self._settings.top_codes_seconds)
            try:
                await flush_top_codes(database)
            except RepositoryError as error:
                # The marks stay where they are, for the next round.
                log.warning("failed while bringing top_hsc_codes up to date: %s", error)


@contextlib.contextmanager
def stopped_by_signals(service: Service) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C stop the service in order."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, service.stop)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
