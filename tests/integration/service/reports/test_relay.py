"""What the relay does about Kafka's refusals: waits and says for what, or sets one aside."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest

from repositories.outbox import Announcement, announce
from repositories.postgres.database import Database
from repositories.postgres.notifications import Notifications
from service.kafka import TopicPlan, kafka_admin
from service.reports import relay
from service.reports.relay import relay_outbox
from service.wiring import kafka_connection
from tests.harness.deployment import Deployment, plan_deployment
from tests.harness.kafka import read_topic
from tests.harness.reports import STATUS
from tests.harness.waiting import until_async
from tests.integration.repositories.report_examples import REQUESTED_AT, P, report_id
from tests.servers import unique_topic

PLANTED = "987654321" * 1_000
SMALL_MESSAGES = {"max.message.bytes": "2000"}


@pytest.fixture
def deployment(kafka: str, migrated_url: str) -> Deployment:
    """Of a topic that is not there yet."""
    topic = unique_topic("status")
    return plan_deployment(kafka, migrated_url).having(
        topic_report_status=topic, topic_partitions=1
    )


async def create_topic(deployment: Deployment, **configs: str) -> None:
    topic = deployment.topic(STATUS)
    async with kafka_admin(kafka_connection(deployment.settings)) as admin:
        await admin.create(TopicPlan(topic, 1, 1, configs))


@asynccontextmanager
async def relaying(database: Database, deployment: Deployment) -> AsyncIterator[None]:
    stop, settings = asyncio.Event(), deployment.settings
    running = asyncio.create_task(
        relay_outbox(database, kafka_connection(settings), settings, Notifications(), stop)
    )
    try:
        yield
    finally:
        stop.set()
        await running


def announcement(n: int, message: str = "") -> Announcement:
    return Announcement(
        topic="report-status",
        message_key=str(P),
        event_type="ca.meritum.report.failed.v1",
        occurred_at=REQUESTED_AT,
        data={"report_id": str(report_id()), "n": n, "error_message": message},
        outbox_id=uuid4(),
    )


async def write(database: Database, *announcements: Announcement) -> None:
    async with database.transaction() as connection:
        await announce(connection, announcements)


async def none_waits(observer: asyncpg.Connection) -> None:
    async def none() -> bool:
        waiting = "SELECT count(*) FROM outbox WHERE published_at IS NULL AND refused_at IS NULL"
        return not await observer.fetchval(waiting)

    await until_async(none, "an outbox in which nothing waits")


async def told(deployment: Deployment) -> list[bytes]:
    """The `ce_id`s in the topic's order, each once."""
    records = await read_topic(deployment, deployment.topic(STATUS))
    ids = [dict(record.headers)["ce_id"] for record in records]
    return list(dict.fromkeys(ids))


async def test_what_the_topic_will_never_take_is_set_aside_and_the_others_go_on_in_order(
    database: Database,
    observer: asyncpg.Connection,
    deployment: Deployment,
    caplog: pytest.LogCaptureFixture,
) -> None:
    given = [announcement(n, PLANTED if n in {2, 5} else "") for n in range(8)]
    await create_topic(deployment, **SMALL_MESSAGES)
    await write(database, *given)
    async with relaying(database, deployment):
        await none_waits(observer)
    taken = [str(one.outbox_id).encode() for n, one in enumerate(given) if n not in {2, 5}]
    assert await told(deployment) == taken
    rows = await observer.fetch("SELECT outbox_id FROM outbox WHERE refused_at IS NOT NULL")
    assert {row["outbox_id"] for row in rows} == {given[2].outbox_id, given[5].outbox_id}
    aside = [record for record in caplog.records if "set aside" in record.message]
    assert [record.levelname for record in aside] == ["ERROR", "ERROR"]
    assert deployment.topic(STATUS) in aside[0].message
    assert aside[0].__dict__["report_id"] == str(report_id())
    assert PLANTED[:9] not in caplog.text


async def test_a_missing_topic_is_named_and_waited_for(
    database: Database,
    observer: asyncpg.Connection,
    deployment: Deployment,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def said() -> bool:
        topic = deployment.topic(STATUS)
        return f"there is no topic {topic}" in caplog.text

    monkeypatch.setattr(relay, "ACKNOWLEDGED_WITHIN_SECONDS", 1)
    caplog.set_level(logging.INFO)
    one = announcement(1)
    await write(database, one)
    async with relaying(database, deployment):
        await until_async(said, "a line that names the missing topic")
        await create_topic(deployment)
        await none_waits(observer)
    assert await told(deployment) == [str(one.outbox_id).encode()]
    assert "claim-analytics topics" in caplog.text
    assert ": publishing announcements" in caplog.text
    assert "PostgreSQL" not in caplog.text
