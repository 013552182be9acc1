"""Running the service: its consumers and scheduled jobs, until told to stop or drained."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any

from consumers.dead_letter_queue import DeadLetterQueue
from consumers.handler import Subscription
from consumers.progress import Progress
from consumers.topic_consumer import TopicConsumer
from repositories.database import Database
from repositories.errors import RepositoryError
from repositories.top_code_flush import flush_top_codes
from service import wiring
from service.jobs import Job, top_codes_job
from service.settings import Settings

log = logging.getLogger(__name__)

BREAK_OFF_SECONDS = 8  # for consumers to break off a batch and to leave their group
GOODBYE_SECONDS = 3


class Service:
    """The consumers of some topics in one process, and the jobs that go with them."""

    def __init__(
        self,
        settings: Settings,
        subscriptions: Sequence[Subscription[Any]],
        jobs: Sequence[Job] = (),
    ) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._jobs = [top_codes_job(settings), *jobs]
        self._stop = asyncio.Event()
        self.progress = {subscription.name: Progress() for subscription in subscriptions}

    def stop(self) -> None:
        """Finish what is in flight, then return from `run`."""
        self._stop.set()

    async def run(self) -> None:
        """Run until `stop`, or until a consumer or a job cannot go on: its error is raised then."""
        database = wiring.impatient_database(self._settings)
        letters = wiring.dead_letter_queue(self._settings)
        try:
            await self._run(database, letters)
            await self._flush_at_the_end(database)
        finally:
            await letters.close()
            await database.close()

    async def _run(self, database: Database, letters: DeadLetterQueue) -> None:
        work: list[Awaitable[None]] = [
            self._consumer(s, database, letters).run(self._stop) for s in self._subscriptions
        ]
        work += [job(database, self._stop) for job in self._jobs]
        running = [asyncio.ensure_future(each) for each in work]
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()  # the others finish what they have in hand, whatever ended the first
        await self._finished_or_broken_off(running)
        ended = [task for task in [*done, *running] if task.done() and not task.cancelled()]
        errors = [error for task in ended if (error := task.exception())]
        if errors:
            raise errors[0]

    async def _finished_or_broken_off(self, running: Sequence[asyncio.Future[None]]) -> None:
        """All of it bears being broken off at any point; a database may hang and never answer."""
        within = self._settings.shutdown_seconds + BREAK_OFF_SECONDS
        _, late = await asyncio.wait(running, timeout=within)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=GOODBYE_SECONDS)

    def _consumer(
        self, subscription: Subscription[Any], database: Database, letters: DeadLetterQueue
    ) -> TopicConsumer[Any]:
        progress = self.progress[subscription.name]
        return wiring.topic_consumer(self._settings, subscription, database, letters, progress)

    async def _flush_at_the_end(self, database: Database) -> None:
        """With the database away the marks stay where they are, for the next who starts."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await flush_top_codes(database)
        except (RepositoryError, TimeoutError):
            log.warning("top_hsc_codes stays behind until the next start: no answer in time")


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


def calm_the_garbage_collector() -> None:
    """Look for reference cycles rarely: batches make many objects and no cycles.

    At Python's defaults the search takes a quarter of this process's time in a backlog
    (docs/performance.md). What is loaded by now stays, so it is never searched again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1_000)
