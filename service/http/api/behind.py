"""Whether the service is behind its topics: whether figures may lack what was published long ago.

Only Kafka knows what there is to read, so Kafka is asked, now and then and beside the requests:
what its partitions held a minute ago is compared with the offsets that the database has stored.
That is true of the whole fleet, whoever consumes, and also while nobody does.
"""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS
from repositories.errors import RepositoryError
from repositories.offsets import stored_offsets
from repositories.postgres.database import Database
from service.kafka import KafkaAdmin, KafkaFailed, kafka_admin
from service.operations.reading import ask
from service.operations.standing import own_topics
from service.settings import Settings
from service.wiring import kafka_connection

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0
PATIENCE = timedelta(minutes=1)  # what came since then is on its way


class Behind:
    """`now`: True, False, or None while that is not known."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.now: bool | None = None

    async def watch(self, database: Database) -> None:
        """Until it is cancelled."""
        while True:
            try:
                async with kafka_admin(kafka_connection(self._settings)) as admin:
                    while True:
                        await self.look(admin, database)
                        await asyncio.sleep(LOOK_SECONDS)  # nothing tells that topics have grown
            except (KafkaFailed, RepositoryError, OSError) as fault:
                self._note(None, type(fault).__name__)
            await asyncio.sleep(LOOK_SECONDS)  # before the next attempt

    async def look(self, admin: KafkaAdmin, database: Database) -> None:
        """Raises KafkaFailed, or a RepositoryError."""
        by_group: dict[str, list[str]] = {}
        there = await admin.existing_topics()
        for topic, group in own_topics(self._settings, (CLAIMS, AI_SUGGESTIONS)).items():
            if topic in there:
                by_group.setdefault(group, []).append(topic)
        waiting: list[str] = []
        for group, topics in by_group.items():
            waiting += await _waiting(admin, database, group, topics)
        self._note(bool(waiting), ", ".join(waiting))

    def _note(self, now: bool | None, why: str) -> None:
        if now != self.now:
            log.info("what is read over HTTP", extra={"behind": now, "why": why})
        self.now = now


async def _waiting(
    admin: KafkaAdmin, database: Database, group: str, topics: Sequence[str]
) -> list[str]:
    asked = await ask(admin, topics, datetime.now(UTC) - PATIENCE)
    unread = asked.unread(await stored_offsets(database, group), topics)
    return [f"{one.topic}[{one.partition}]" for one in unread]
