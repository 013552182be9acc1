"""What a user may do in Kafka: each permission that is missing is named, at once."""

import asyncio
from pathlib import Path

import pytest

from consumers.engine.errors import ConsumerStopped
from consumers.topics.claims import CLAIMS
from service.kafka import KafkaFailed, Message, TopicPlan, kafka_admin, publisher
from service.operations.doctor import Level, examine
from service.runner import Service
from service.settings import PREFIX
from service.wiring import kafka_connection
from tests.harness.deployment import Deployment
from tests.harness.kafka import dead_letters, publish
from tests.harness.messages import nonsense, simulated
from tests.harness.process import RUN
from tests.harness.rows import all_applied
from tests.harness.secure_kafka import DENY, NOBODY, SECRET, USER, SecureKafka, permit
from tests.harness.waiting import LONG, until_async
from tests.integration.service.command_line import claim_analytics
from tests.integration.service.transit.conftest import as_anybody
from tests.servers import unique_topic


async def test_each_permission_that_is_missing_is_named_and_with_all_of_them_it_works(
    guarded: Deployment, secure: SecureKafka
) -> None:
    """The permissions that docs/operations.md lists, one after the other."""
    letters = [topic + guarded.settings.topic_dlq_suffix for topic in guarded.topics]
    load = simulated(guarded, 200)
    await publish(as_anybody(guarded, secure), [*load.messages, *nonsense(guarded, 1)])

    first = min(guarded.topics)
    await _is_stopped(guarded, rf"does not permit this user to use the topic {first}")
    await permit(secure, USER, "Read", "topic", guarded.topics)
    await _is_stopped(guarded, rf"does not permit this user to read as the group {guarded.group}")
    former = [guarded.settings.group(name) for name in CLAIMS.decoders]
    await permit(secure, USER, "Read", "group", [guarded.group, *former])
    await _is_stopped(guarded, rf"does not permit this user to use the topic {letters[0]}")
    await permit(secure, USER, "Write", "topic", letters)
    running = asyncio.create_task(Service(guarded.settings, [CLAIMS]).run())
    await all_applied(guarded, load.events)
    await until_async(lambda: dead_letters(as_anybody(guarded, secure)), "the dead letter")
    await permit(secure, USER, "Read", "topic", [first], DENY)
    with pytest.raises(
        ConsumerStopped, match=rf"does not permit this user to use the topic {first}"
    ):
        await asyncio.wait_for(running, LONG)


async def test_the_doctor_names_each_permission_that_is_missing(
    guarded: Deployment, secure: SecureKafka
) -> None:
    """To see a topic takes a permission too, and to look at its settings one more."""
    submitted, paid = guarded.topics[:2]
    assert f"use the topic {min(guarded.topics)}" in await _permissions(guarded)
    await permit(secure, USER, "Write", "topic", [submitted, f"{submitted}.dlq", f"{paid}.dlq"])
    await permit(secure, USER, "Read", "topic", [paid, f"{submitted}.dlq"])
    await permit(secure, USER, "Read", "group", [guarded.settings.group("ai-suggestion")])
    found = await _permissions(guarded)
    assert f"permit this user to read the topic {submitted}: add an ACL" in found
    assert f"read as the group {guarded.group}: add an ACL" in found
    assert f"as the group {guarded.settings.group('ai-suggestion')}" not in found
    assert paid not in found
    wrong = guarded.having(kafka_sasl_password=f"wrong-{SECRET}")
    assert "refuses the user or the password" in await _permissions(wrong)


async def _permissions(deployment: Deployment) -> str:
    """What the doctor finds wrong."""
    found = await examine(deployment.settings)
    return "\n".join(one.said for one in found if one.level is Level.WRONG)


async def _is_stopped(deployment: Deployment, said: str) -> None:
    with pytest.raises(ConsumerStopped, match=said):
        await asyncio.wait_for(Service(deployment.settings, [CLAIMS]).run(), LONG)


async def test_a_publisher_that_may_not_write_is_told_which_topic(guarded: Deployment) -> None:
    connection = kafka_connection(guarded.settings)
    with pytest.raises(KafkaFailed, match=f"use the topic {guarded.topics[0]}: add an ACL"):
        async with publisher(connection) as publishing:
            await publishing.send(Message(guarded.topics[0], b"key", b"value"))


def test_a_run_that_is_kept_out_ends_with_the_reason(guarded: Deployment, tmp_path: Path) -> None:
    wrong = guarded.having(kafka_sasl_password=f"wrong-{SECRET}")
    ended = claim_analytics(tmp_path, *RUN, environment=wrong.environment)
    assert ended.code == 3
    assert f"refuses the user or the password: look at {PREFIX}KAFKA_SASL_USERNAME" in ended.errors
    assert SECRET not in ended.errors


async def test_who_may_write_to_no_topic_or_create_none_is_told_so(secure: SecureKafka) -> None:
    """An idempotent producer needs a permission of the cluster, or one to write to some topic."""
    nobody = secure.connection("SASL", sasl_username=NOBODY)
    topic = unique_topic()
    with pytest.raises(KafkaFailed, match="to create topics, or to write to any: add an ACL"):
        async with publisher(nobody) as publishing:
            await publishing.send(Message(topic, b"key", b"value"))
    with pytest.raises(KafkaFailed, match=f"this user to use the topic {topic}: add an ACL"):
        async with kafka_admin(nobody) as admin:
            await admin.create(TopicPlan(topic, 1, 1))
