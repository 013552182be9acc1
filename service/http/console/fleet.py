"""What Kafka and the database say of every partition, for all who look at once, and over time.

One look at Kafka serves all pages for two seconds. While Kafka or the database does not answer, the
last look stands, with its time, and with why there is no newer one.
"""

import asyncio
import logging
import math
import random
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby

from repositories.errors import RepositoryError
from repositories.offset_samples import SLOT_SECONDS, OffsetSample, is_sampled, keep_samples
from repositories.postgres.database import Database
from service import wiring
from service.kafka import KafkaFailed, kafka_explained
from service.operations.standing import (
    GroupStanding,
    Kafka,
    Standing,
    looking_at_kafka,
    own_topics,
    standings,
)
from service.parts import EVERY_SUBSCRIPTION
from service.settings import Settings

log = logging.getLogger(__name__)

FRESH_SECONDS = 2.0
PATIENCE_SECONDS = 1.5  # of a page, for a new look
LITTLE_PATIENCE_SECONDS = 0.08  # where there is one of half a minute, or the last one failed
RECENT_SECONDS = 30.0
LOOK_SECONDS = 15.0
GOODBYE_SECONDS = 2.0


@dataclass(frozen=True)
class Seen:
    """The last look that succeeded, at `at` (None: none has yet), and why there is no newer one."""

    groups: Sequence[GroupStanding] = ()
    at: datetime | None = None
    fault: str | None = None
    fault_since: datetime | None = None

    @property
    def partitions(self) -> Sequence[Standing]:
        return [one for group in self.groups for one in group.partitions]


class Fleet:
    """Looks at Kafka and the database, on the event loop of the HTTP side."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._connection = wiring.kafka_connection(settings)
        self._settings = settings
        self._database = database
        self.topics: Mapping[str, str] = own_topics(settings, EVERY_SUBSCRIPTION)
        self._seen = Seen()
        self._opened: AsyncExitStack | None = None
        self._kafka: Kafka | None = None
        self._looking: asyncio.Task[None] | None = None

    async def seen(self) -> Seen:
        """A look of the last two seconds, or the last that there was if Kafka takes its time."""
        at, faulty = self._seen.at, self._seen.fault is not None
        age = (datetime.now(UTC) - at).total_seconds() if at else math.inf
        if faulty or age > FRESH_SECONDS:
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            little = faulty or age < RECENT_SECONDS
            patience = LITTLE_PATIENCE_SECONDS if little else PATIENCE_SECONDS
            await asyncio.wait({self._looking}, timeout=patience)
            if self._looking.done():
                self._looking.result()
        return self._seen

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                with kafka_explained(self._connection):
                    groups = await standings(await self._open(), self._database, self.topics)
        except (KafkaFailed, RepositoryError) as error:
            await self._failed(str(error))
        except (TimeoutError, OSError):
            await self._failed(f"Kafka did not answer within {LOOK_SECONDS:.0f} seconds.")
        else:
            self._seen = Seen(groups, datetime.now(UTC))

    async def _open(self) -> Kafka:
        if self._kafka is None:
            self._opened = AsyncExitStack()
            self._kafka = await self._opened.enter_async_context(looking_at_kafka(self._settings))
        return self._kafka

    async def _failed(self, fault: str) -> None:
        """The next look begins with new connections."""
        since = self._seen.fault_since or datetime.now(UTC)
        self._seen = replace(self._seen, fault=fault, fault_since=since)
        await self._close()

    async def _close(self) -> None:
        opened, self._opened, self._kafka = self._opened, None, None
        if opened:
            closing = asyncio.ensure_future(opened.aclose())
            await asyncio.wait({closing}, timeout=GOODBYE_SECONDS)
            closing.cancel()
            await asyncio.gather(closing, return_exceptions=True)

    async def close(self) -> None:
        if self._looking:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._close()

    async def sample_for_ever(self) -> None:
        """Keep a sample for each slot that has none yet, until cancelled."""
        own_moment = random.random() * SLOT_SECONDS / 2  # noqa: S311  # so that few look at once
        while True:
            now = datetime.now(UTC).timestamp()
            # Until the next sample is due.
            await asyncio.sleep(SLOT_SECONDS - now % SLOT_SECONDS + own_moment)
            try:
                if not await is_sampled(self._database):
                    seen = await self.seen()
                    if seen.fault is None:
                        await keep_samples(self._database, samples_of(seen))
            except RepositoryError as error:
                log.debug("no sample of the offsets was kept", extra={"why": str(error)})


def samples_of(seen: Seen) -> Sequence[OffsetSample]:
    """Partitions are numbered from 0 without gaps, and come in order."""
    found = []
    for topic, partitions in groupby(seen.partitions, key=lambda one: one.topic):
        each = list(partitions)
        behind = [one.lag_seconds for one in each if one.lag_seconds is not None]
        found.append(
            OffsetSample(
                topic,
                [one.end - one.lag for one in each],
                [one.end for one in each],
                max(behind, default=None),
            )
        )
    return found
