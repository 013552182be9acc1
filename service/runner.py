"""Running the service: its consumers and scheduled jobs, until told to stop or drained."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from urllib.parse import urlsplit

from pydantic import SecretStr

from consumers.engine.dead_letters import DeadLetterQueue
from consumers.engine.errors import ConsumerStopped
from consumers.engine.orders import Orders
from consumers.engine.retry import set_within
from consumers.engine.subscription import AnySubscription, Progress
from repositories.claims.top_code_flush import flush_top_codes
from repositories.errors import RepositoryError
from repositories.postgres.database import Database, PoolUse
from service import wiring
from service.checks.database_check import wait_for_database
from service.jobs import FillJob, Job, name_of, top_codes_job
from service.kafka import KafkaAdmin, Positions, ensure_admission
from service.memory import tidy_memory
from service.operations.orders import OrdersJob
from service.settings import Settings
from service.watchdog import Watchdog

log = logging.getLogger(__name__)

BREAK_OFF_SECONDS = 8  # for consumers to break off a batch and to leave their group
GOODBYE_SECONDS = 3
LOOK_SECONDS = 1
REMIND_SECONDS = 60


class Service:
    """The consumers of some topics in one process, and the jobs that go with them.

    `progress` and `lanes`, how many it has, are by the subscription's name; `orders` are the
    operators'. Without subscriptions it does nothing but its jobs.
    """

    def __init__(
        self,
        settings: Settings,
        subscriptions: Sequence[AnySubscription],
        jobs: Sequence[Job] = (),
        watchdog: Watchdog | None = None,
    ) -> None:
        self._settings = settings
        self._subscriptions = subscriptions
        self._jobs = [*jobs, tidy_memory]
        self._stop = asyncio.Event()
        self.watchdog = watchdog or Watchdog()
        self._why = "a part of it ended"
        self.progress = {subscription.name: Progress() for subscription in subscriptions}
        self.lanes = {one.name: wiring.number_of_lanes(settings, one) for one in subscriptions}
        self.orders = Orders()
        if subscriptions:
            by_group = {settings.group(name): one for name, one in self.progress.items()}
            orders = OrdersJob(self.orders, by_group)
            self._jobs += [top_codes_job(settings), FillJob(), orders]
        self._database: Database | None = None

    def stop(self, why: str = "told to stop") -> None:
        """Finish what is in flight, then return from `run`; `why` is for the log."""
        if not self._stop.is_set():
            self._why = why
            self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop, or a part of it has ended; to be asked from any thread."""
        return self._stop.is_set()

    def pool_use(self) -> PoolUse | None:
        """Of its connections to PostgreSQL; from any thread. None before it runs."""
        return self._database.pool_use if self._database else None

    async def run(self) -> None:
        """Run until `stop`, or until nothing is left to read, or a consumer or a job cannot go on.

        Raises the error of what cannot go on; ConsumerStopped if a partition had stopped.
        """
        begun = time.monotonic()
        log.info("started", extra=started_with(self._settings, list(self.progress)))
        database = self._database = wiring.impatient_database(self._settings)
        letters = wiring.dead_letter_queue(self._settings)
        feeding = asyncio.create_task(self.watchdog.feed())
        try:
            await wait_for_database(self._settings, self._stop)
            await self._run(database, letters)
            await self._flush_at_the_end(database)
        except Exception as error:  # whatever it is, the last line says; raised on
            self._why = type(error).__name__
            raise
        finally:
            self._stop.set()
            await letters.close()
            await database.close()
            feeding.cancel()
            self._tell_the_end(time.monotonic() - begun)
        stopped = {stop.why for one in self.progress.values() for stop in one.stopped.values()}
        if stopped:
            raise ConsumerStopped(" ".join(sorted(stopped)))

    async def ends(self, admin: KafkaAdmin) -> dict[str, Positions]:
        """By consumer group: one past the last message that its topics hold now.

        Topics that are missing are left out, as they are when consuming; raises KafkaFailed where a
        subscription that needs one has none.
        """
        there = await admin.existing_topics()
        found = {}
        for subscription in self._subscriptions:
            topics = {self._settings.topic(name) for name in subscription.decoders}
            if topics & there or not subscription.optional:
                ends = await admin.end_offsets(sorted(topics & there) or sorted(topics))
                found[self._settings.group(subscription.name)] = ends
        return found

    async def _run(self, database: Database, letters: DeadLetterQueue) -> None:
        running = self._begin(database, letters)
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        self._stop.set()  # the others finish what they have in hand, whatever ended the first
        await self._finished_or_broken_off(running)
        ended = [task for task in [*done, *running] if task.done() and not task.cancelled()]
        errors = [error for task in ended if (error := task.exception())]
        if errors:
            raise errors[0]

    def _begin(self, database: Database, letters: DeadLetterQueue) -> list[asyncio.Task[None]]:
        """Lanes and jobs, each with a pulse of its own."""
        pulses = self.watchdog.pulses
        running = [
            pulses.of(f"{subscription.name} lane {number}").task(lane.run(self._stop))
            for subscription in self._subscriptions
            for number, lane in enumerate(
                wiring.lanes(
                    self._settings,
                    subscription,
                    database,
                    letters,
                    self.progress[subscription.name],
                    self.orders,
                )
            )
        ]
        for number, job in enumerate(self._jobs, 1):
            pulse = pulses.of(f"job {number} {name_of(job)}")
            running.append(pulse.task(job(database, self._stop)))
        running.append(asyncio.create_task(self._until_nothing_is_left()))
        if self._subscriptions:
            running.append(asyncio.create_task(self._admitted_by_kafka()))
        return running

    async def _until_nothing_is_left(self) -> None:
        """Partitions that stopped wait for a person, who is reminded of them; with all of them
        stopped there is no reason to go on."""
        told: dict[str, float] = {}
        while not await set_within(self._stop, LOOK_SECONDS):
            reading = [one for one in self.progress.values() if not one.without_topic]
            if reading and all(one.nothing_left for one in reading):
                self.stop("all partitions have stopped")
                return
            told = self._remind_of_stopped(told)

    def _remind_of_stopped(self, told: Mapping[str, float]) -> dict[str, float]:
        """Repeat why partitions stopped, each reason once a minute. `told` has when each was told
        last, and so has what is returned; the first time the reader tells it."""
        now = time.monotonic()
        held: dict[str, list[str]] = {}
        for one in self.progress.values():
            for at in sorted(one.stopped.keys() & one.assigned):
                held.setdefault(one.stopped[at].why, []).append(f"{at.topic}-{at.partition}")
        due = [why for why in held if now - told.get(why, now) >= REMIND_SECONDS]
        for why in due:
            log.error("still stopped: %s", why, extra={"partitions": held[why]})
        return {why: now if why in due else told.get(why, now) for why in held}

    def _tell_the_end(self, seconds: float) -> None:
        done = {name: one.totals() for name, one in self.progress.items()}
        log.info("stopped", extra={"why": self._why, "seconds": round(seconds, 1), "done": done})

    async def _admitted_by_kafka(self) -> None:
        """A wrong password and the like end the service at its start; later they are retried."""
        await ensure_admission(wiring.kafka_connection(self._settings))
        await self._stop.wait()

    async def _finished_or_broken_off(self, running: Sequence[asyncio.Task[None]]) -> None:
        """All of it bears being broken off at any point; a database may hang and never answer."""
        within = self._settings.shutdown_seconds + BREAK_OFF_SECONDS
        _, late = await asyncio.wait(running, timeout=within)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=GOODBYE_SECONDS)

    async def _flush_at_the_end(self, database: Database) -> None:
        """With the database away the marks stay where they are, for the next who starts."""
        if not self._subscriptions:
            return
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await flush_top_codes(database)
        except (RepositoryError, TimeoutError):
            log.warning("top_hsc_codes stays behind until the next start: no answer in time")


def started_with(settings: Settings, consumers: Sequence[str]) -> dict[str, object]:
    """For the log: the version, which servers, and each setting that is not its default.

    No secret, and no user or password of a URL.
    """
    changed = {
        name: str(value)
        for name, value in settings
        if value != Settings.model_fields[name].default and not isinstance(value, SecretStr)
    }
    if "report_storage_url" in changed:
        changed["report_storage_url"] = _without_user(changed["report_storage_url"])
    return {
        "version": version("claim-analytics"),
        "consumers": consumers,
        "database": _without_user(settings.database_url.get_secret_value()),
        "kafka": settings.kafka_bootstrap_servers,
        "settings": changed,
    }


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
