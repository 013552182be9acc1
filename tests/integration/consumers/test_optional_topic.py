"""A platform without an AI coach has no topic for its events, and may get one."""

import asyncio
import logging

import pytest

from consumers.engine import lane
from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS
from service.kafka import kafka_admin
from service.runner import Service
from service.wiring import kafka_connection
from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import coach_examples, simulated
from tests.harness.rows import all_applied
from tests.harness.waiting import until


async def test_it_is_left_out_and_said_and_read_as_soon_as_it_appears(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lane, "TOPIC_SECONDS", 0.5)
    monkeypatch.setattr(lane, "TOPIC_CHECK_SECONDS", 0.5)
    topic = deployment.topic(AI_SUGGESTIONS.name)
    load, said = simulated(deployment, 60), coach_examples(deployment)
    service = Service(deployment.settings, [CLAIMS, AI_SUGGESTIONS])
    running = asyncio.create_task(service.run())
    try:
        line = f"not read: {topic} (there is no topic {topic}: "
        await until(lambda: any(text.startswith(line) for text in caplog.messages), "the line")
        await publish(deployment, load.messages)
        await all_applied(deployment, load.events)
        async with kafka_admin(kafka_connection(deployment.settings)) as admin:
            claims = await admin.end_offsets(deployment.topics)
            assert await service.ends(admin) == {deployment.group: claims}
        await deployment.create_coach_topic()
        await publish(deployment, said.messages)
        await all_applied(deployment, load.events + said.events)
    finally:
        service.stop()
        await running
    levels = {it.levelno for it in caplog.records if it.getMessage().startswith(line)}
    assert levels == {logging.WARNING}
