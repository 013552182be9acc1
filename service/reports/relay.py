"""Publishing the outbox: each announcement at least once, always under its own id."""

import asyncio
import json
import logging
from collections.abc import Sequence

from consumers.connection import KafkaConnection
from consumers.waiting import set_within
from repositories.database import Database
from repositories.errors import RepositoryError
from repositories.outbox import Announcement, unpublished
from service.kafka import KafkaFailed, Message, Publisher, publisher
from service.settings import Settings

log = logging.getLogger(__name__)

AT_ONCE = 500
IDLE_SECONDS = 0.3
PAUSE_SECONDS = 2.0  # after an error
ACKNOWLEDGED_WITHIN_SECONDS = 10  # the outbox is in a transaction meanwhile
SOURCE = "/meritum/claim-analytics"


async def relay_outbox(
    database: Database, connection: KafkaConnection, settings: Settings, stop: asyncio.Event
) -> None:
    """Publish what is announced until `stop` is set; while Kafka or the database is away, wait."""
    while not stop.is_set():
        try:
            async with publisher(connection) as publishing:
                await _relay(database, publishing, settings, stop)
        except (KafkaFailed, TimeoutError) as error:
            log.warning("failed while publishing announcements, trying again: %s", error)
        except RepositoryError as error:
            if not error.retriable:
                raise
            log.warning("failed while reading the outbox, trying again: %s", error)
        await set_within(stop, PAUSE_SECONDS)


async def _relay(
    database: Database, publishing: Publisher, settings: Settings, stop: asyncio.Event
) -> None:
    while not stop.is_set():
        async with unpublished(database, AT_ONCE) as announcements:
            await _publish(publishing, settings, announcements)
        if len(announcements) < AT_ONCE:
            await set_within(stop, IDLE_SECONDS)


async def _publish(
    publishing: Publisher, settings: Settings, announcements: Sequence[Announcement]
) -> None:
    async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
        for announcement in announcements:
            await publishing.send(_message(announcement, settings))
        await publishing.flush()


def _message(announcement: Announcement, settings: Settings) -> Message:
    """A CloudEvent in binary mode; the outbox row's id is the event's."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(announcement.outbox_id),
        "ce_source": SOURCE,
        "ce_type": announcement.event_type,
        "ce_time": announcement.occurred_at.isoformat(),
        "content-type": "application/json",
    }
    return Message(
        settings.topic(announcement.topic),
        announcement.message_key.encode(),
        json.dumps(announcement.data).encode(),
        [(name, value.encode()) for name, value in headers.items()],
    )
