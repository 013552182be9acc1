"""The topics that `claim-analytics topics` makes, and what it says of those that it finds."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.kafka import KafkaAdmin, TopicPlan, kafka_admin
from service.topics import BY_BROKER, DAY_MS, RETENTION, TIMESTAMPS, create_missing_topics
from service.wiring import kafka_connection
from tests.harness.deployment import PAID, SUBMITTED, Deployment, plan_deployment
from tests.harness.kafka import producer, read_topic
from tests.integration.service.command_line import claim_analytics

NO_DATABASE = "postgresql://nobody@localhost/nothing"


@pytest.fixture
def deployment(kafka: str) -> Deployment:
    return plan_deployment(kafka, NO_DATABASE)


@pytest.fixture
async def admin(deployment: Deployment) -> AsyncIterator[KafkaAdmin]:
    async with kafka_admin(kafka_connection(deployment.settings)) as admin:
        yield admin


async def test_a_backfill_of_old_events_is_kept_as_long_as_what_is_published_today(
    deployment: Deployment, admin: KafkaAdmin
) -> None:
    await create_missing_topics(admin, deployment.settings, [SUBMITTED])
    topic = deployment.topic(SUBMITTED)
    async with producer(deployment) as client:
        sent = await client.send_and_wait(topic, key=(b"k",), value=(b"v",), timestamp_ms=1_000)
    [record] = await read_topic(deployment, topic)
    assert record.timestamp == sent.timestamp
    assert record.timestamp > 365 * DAY_MS
    assert (await admin.topic_configs(f"{topic}.dlq"))[TIMESTAMPS] == BY_BROKER


@pytest.mark.parametrize(
    ("of_topic", "setting_days", "expected"),
    [(DAY_MS, 30, DAY_MS), (-1, 30, 30 * DAY_MS), (60 * DAY_MS, 30, 30 * DAY_MS)],
)
async def test_dead_letters_are_kept_no_longer_than_their_topic(
    of_topic: int, setting_days: int, expected: int, deployment: Deployment, admin: KafkaAdmin
) -> None:
    topic = deployment.topic(PAID)
    settings = deployment.having(topic_retention_days=setting_days).settings
    await admin.create(TopicPlan(topic, 1, 1, {RETENTION: str(of_topic)}))
    assert await create_missing_topics(admin, settings, [PAID]) == [f"{topic}.dlq"]
    assert (await admin.topic_configs(f"{topic}.dlq"))[RETENTION] == str(expected)


async def test_what_is_amiss_with_topics_that_exist_is_said_and_left(
    deployment: Deployment, admin: KafkaAdmin, tmp_path: Path
) -> None:
    topic = deployment.topic(PAID)
    letters = f"{topic}.dlq"
    await admin.create(TopicPlan(topic, 3, 1, {RETENTION: "86400000"}))
    await admin.create(TopicPlan(letters, 3, 1, {RETENTION: "86400001", TIMESTAMPS: BY_BROKER}))
    for _ in range(2):
        done = claim_analytics(tmp_path, "topics", environment=deployment.environment)
        assert done.code == 0
        wrong = [line for line in done.output.splitlines() if "left as it is" in line]
        commands = {line.partition("kafka-configs.sh ")[2] for line in wrong if topic in line}
        to = "--alter --entity-type topics --entity-name"
        assert commands == {
            f"{to} {letters} --add-config {RETENTION}=86400000 changes it.",
            f"{to} {topic} --add-config {TIMESTAMPS}={BY_BROKER} changes it.",
        }
