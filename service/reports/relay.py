"""Publishing the outbox: each announcement at least once, always under its own id.

What waiting can mend is tried again after growing pauses: the brokers are away, the topic is
missing, the user may not write. An announcement that the topic will never take is set aside, so
that it holds up none of the others.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from consumers.engine.retry import set_within
from consumers.kafka.connection import KafkaConnection
from consumers.supervision.pulse import working
from consumers.supervision.watch import watched
from consumers.telemetry.spans import Kind, span
from repositories.errors import RepositoryError
from repositories.outbox import Announcement, set_aside, unpublished
from repositories.postgres.database import Database
from repositories.postgres.notifications import Channel, Notifications
from repositories.reports.generated_reports import TOPIC
from service.kafka import (
    KafkaFailed,
    Message,
    MessageRefused,
    Publisher,
    kafka_admin,
    publisher,
)
from service.reports.backoff import Backoff
from service.settings import Settings

log = logging.getLogger(__name__)

AT_ONCE = 500
POLL_SECONDS = 5.0  # without a notification
ACKNOWLEDGED_WITHIN_SECONDS = 10  # the outbox is in a transaction meanwhile
SOURCE = "/meritum/claim-analytics"


async def relay_outbox(
    database: Database,
    connection: KafkaConnection,
    settings: Settings,
    notifications: Notifications,
    stop: asyncio.Event,
) -> None:
    """Publish what is announced until `stop` is set; while Kafka or the database is away, wait."""
    backoff = Backoff("publishing announcements")
    progress = Progress(backoff)
    while not stop.is_set():
        pause = 0.0
        try:
            async with publisher(connection) as publishing:
                look = partial(_publish_next, database, publishing, settings, progress)
                while await notifications.wait_for(Channel.OUTBOX, look, stop, POLL_SECONDS):
                    pass
        except MessageRefused:
            pass  # go on with another publisher: one that met this is of no more use
        except NotAcknowledged as error:
            pause = backoff.failed(await _why(connection, settings, error))
        except KafkaFailed as error:
            pause = backoff.failed(error)
        except RepositoryError as error:
            if not error.retriable:
                raise
            pause = backoff.failed(error)
        await set_within(stop, pause)


class NotAcknowledged(KafkaFailed):
    """The brokers did not say that they have what was sent."""


@dataclass
class Progress:
    """`at_once` announcements are sent; after a refusal one by one, to find the bad one."""

    backoff: Backoff
    at_once: int = AT_ONCE


async def _publish_next(
    database: Database, publishing: Publisher, settings: Settings, progress: Progress
) -> bool:
    """Whether there was anything to publish. Raises MessageRefused, also where it has set the one
    announcement that was refused aside."""
    announcements: Sequence[Announcement] = ()
    outage = progress.backoff.outage
    try:
        with working(outage.doing), watched(outage):
            async with unpublished(database, progress.at_once) as announcements:
                await _publish(publishing, settings, announcements)
    except MessageRefused as refused:
        if progress.at_once == 1:
            await _set_aside(database, announcements[0], refused)
            progress.at_once = AT_ONCE
        else:
            progress.at_once = 1
        raise
    progress.backoff.over()
    if not announcements:
        progress.at_once = AT_ONCE
    return len(announcements) > 0


async def _set_aside(
    database: Database, announcement: Announcement, refused: MessageRefused
) -> None:
    await set_aside(database, announcement.outbox_id, str(refused))
    log.error(
        "an announcement was set aside, the others go on: %s", refused,
        extra={
            "outbox_id": str(announcement.outbox_id),
            "report_id": announcement.data.get("report_id"),
        },
    )  # fmt: skip


async def _publish(
    publishing: Publisher, settings: Settings, announcements: Sequence[Announcement]
) -> None:
    try:
        async with asyncio.timeout(ACKNOWLEDGED_WITHIN_SECONDS):
            for announcement in announcements:
                parent, about = announcement.traceparent, {"type": announcement.event_type}
                with span("announce", Kind.PRODUCER, parent=parent, attributes=about) as spanned:
                    await publishing.send(_message(announcement, settings, spanned.context))
            await publishing.flush()
    except TimeoutError:  # by name, so that nobody takes it for the database's
        raise NotAcknowledged(
            f"Kafka did not acknowledge them within {ACKNOWLEDGED_WITHIN_SECONDS} seconds. Has the"
            " topic a leader, and enough replicas in sync (min.insync.replicas)?"
        ) from None


async def _why(connection: KafkaConnection, settings: Settings, error: KafkaFailed) -> KafkaFailed:
    """A producer waits for a topic that is missing as for one whose broker is away."""
    topic = settings.topic(TOPIC)
    try:
        async with kafka_admin(connection) as admin:
            if topic in await admin.existing_topics():
                return error
    except KafkaFailed as failed:
        return failed
    return KafkaFailed(
        f"there is no topic {topic}, or the service's Kafka user may not see it: run"
        " `claim-analytics topics`, or look at CLAIM_ANALYTICS_TOPIC_REPORT_STATUS"
    )


def _message(announcement: Announcement, settings: Settings, traceparent: str | None) -> Message:
    """A CloudEvent in binary mode; the outbox row's id is the event's."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(announcement.outbox_id),
        "ce_source": SOURCE,
        "ce_type": announcement.event_type,
        "ce_time": announcement.occurred_at.isoformat(),
        "content-type": "application/json",
    }
    if traceparent:
        headers["traceparent"] = traceparent
    return Message(
        settings.topic(announcement.topic),
        announcement.message_key.encode(),
        json.dumps(announcement.data).encode(),
        [(name, value.encode()) for name, value in headers.items()],
    )
