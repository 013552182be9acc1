"""Topics that change while they are read, and topics that are not there."""

import asyncio
import logging
from dataclasses import replace

import pytest
from aiokafka.admin import NewPartitions, NewTopic

from consumers.engine import lane
from consumers.engine.errors import ConsumerStopped
from consumers.kafka import connection
from consumers.topics.claims import CLAIMS
from service.runner import Service
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import admin, producer, publish, send
from tests.harness.messages import simulated
from tests.harness.process import consuming
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.harness.waiting import LONG, until


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for changes twice a second, in place of every quarter and half of a minute."""
    assert lane.TOPIC_CHECK_SECONDS <= 30
    assert connection.METADATA_AGE_MS <= 30_000
    monkeypatch.setattr(lane, "TOPIC_CHECK_SECONDS", 0.5)
    monkeypatch.setattr(connection, "METADATA_AGE_MS", 500)


@pytest.mark.usefixtures("often")
async def test_partitions_that_are_added_are_noticed_and_read(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    topic = deployment.topic(PAID)
    load = simulated(deployment, 200).of(topic)
    async with consuming(deployment) as service:
        assigned = service.progress["claims"].assigned
        await until(lambda: {at.topic for at in assigned} == {*deployment.topics}, "all topics")
        async with admin(deployment) as client:
            await client.create_partitions({topic: NewPartitions(4)})
        said = f"topic {topic} has 4 partitions now, 3 before: they are shared out anew"
        await until(lambda: said in caplog.messages, "the line")
        async with producer(deployment) as client:
            await send(client, load.messages, partition=3)
        await all_applied(deployment, load.events)


@pytest.mark.usefixtures("often")
async def test_a_topic_that_is_created_anew_is_noticed_and_read_from_its_beginning(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    """Though it holds more than its predecessor did, so that no offset is out of range."""
    caplog.set_level(logging.WARNING)
    topic = deployment.topic(PAID)
    before, after = simulated(deployment, 600).of(topic).split(2)
    async with consuming(deployment):
        await publish(deployment, before.messages[:30])
        await all_applied(deployment, before.events[:30])
        async with admin(deployment) as client:
            await client.delete_topics([topic])
            await _create(deployment, topic)
        await publish(deployment, after.messages)
        await all_applied(deployment, before.events[:30] + after.events)
        told = f"the topic {topic} was deleted and created anew"  # by one of the two lanes
        await until(lambda: told in caplog.text, told)
    await assert_tables_equal_oracle(deployment, before.events[:30] + after.events)


async def _create(deployment: Deployment, topic: str) -> None:
    """Its predecessor takes a moment to go."""
    async with admin(deployment) as client:
        while True:
            answer = await client.create_topics([NewTopic(topic, 3, 1)])
            if not answer.topic_errors[0][1]:
                return
            await asyncio.sleep(0.05)  # the broker is still deleting the former one


@pytest.mark.usefixtures("often")
async def test_what_an_older_platform_does_not_publish_yet_is_left_out_and_joined_later(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lane, "TOPIC_SECONDS", 0.5)
    before, after = simulated(deployment, 200).split(2)
    later = deployment.having(topic_claim_submitted=f"later-{deployment.topic(SUBMITTED)}")
    topic = later.topic(SUBMITTED)
    async with consuming(later) as service:
        await until(lambda: f"not read: {topic} (there is no topic" in caplog.text, "the line")
        assert service.progress["claims"].missing == {topic}
        paid = before.of(deployment.topic(PAID))
        await publish(later, paid.messages)
        await all_applied(later, paid.events)
        await _create(later, topic)
        submitted = after.of(deployment.topic(SUBMITTED))
        await publish(later, [replace(one, topic=topic) for one in submitted.messages])
        await all_applied(later, paid.events + submitted.events)
    await assert_tables_equal_oracle(later, paid.events + submitted.events)


async def test_a_topic_whose_name_is_nearly_that_of_another_is_not_to_be_created(
    deployment: Deployment,
) -> None:
    topics = {f"topic_{name.replace('-', '_')}": deployment.topic(name) for name in CLAIMS.decoders}
    misspelt = deployment.having(**{name: topic[1:] for name, topic in topics.items()})
    with pytest.raises(ConsumerStopped) as stopped:
        await asyncio.wait_for(Service(misspelt.settings, [CLAIMS]).run(), LONG)
    for topic in topics.values():
        assert f"there is no topic {topic[1:]}, but {topic}: is it spelt wrongly" in str(
            stopped.value
        )
    assert "claim-analytics topics" not in str(stopped.value)
