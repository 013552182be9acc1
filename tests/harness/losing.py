"""Messages that the broker no longer has, at the offset where a consumer would go on."""

from typing import NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import admin, committed, publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, command
from tests.oracle import PlainEvent


class Remaining(NamedTuple):
    """What is left of the events."""

    lost: range  # offsets of the partition 0 that nobody has read, and nobody can
    readable: list[PlainEvent]  # applied before, or still there
    elsewhere: list[PlainEvent]  # those less what follows the lost ones


@pytest.fixture
async def remaining(deployment: Deployment) -> Remaining:
    """Publish, consume a half, and lose ten messages of a partition that were not read yet."""
    before, after = simulated(deployment, 1_200).split(2)
    await publish(deployment, before.messages)
    await command(deployment, *DRAIN)
    sent = await publish(deployment, after.messages)
    topic = deployment.topic(SUBMITTED)
    position = (await committed(deployment, deployment.group))[(topic, 0)]
    lost = range(position, position + 10)
    async with admin(deployment) as client:
        await client.delete_records({TopicPartition(topic, 0): RecordsToDelete(lost.stop)})
    pairs = list(zip(after.events, sent, strict=True))
    there = [
        e for e, at in pairs if (at.topic, at.partition) == (topic, 0) and at.offset not in lost
    ]
    elsewhere = [e for e, at in pairs if (at.topic, at.partition) != (topic, 0)]
    return Remaining(lost, before.events + there + elsewhere, before.events + elsewhere)
