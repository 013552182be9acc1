"""A lane and a Kafka client that breaks."""

import asyncio
import logging
from pathlib import Path

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from consumers.engine.errors import ConsumerStopped
from consumers.topics.claims import CLAIMS
from service import runner
from service.heartbeat import heartbeat_job
from service.runner import Service
from service.watchdog import Watchdog
from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.process import consuming
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.harness.waiting import LONG, until


async def test_a_client_that_broke_is_replaced(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeats = _FailingHeartbeats(
        monkeypatch, KafkaError("Unexpected exception in heartbeat task")
    )
    before, after = simulated(deployment, 600).split(2)
    async with consuming(deployment.having(group_session_seconds=1)):
        await publish(deployment, before.messages)
        await until(lambda: heartbeats.failed == 2, "two heartbeats that fail")
        await publish(deployment, after.messages)
        await all_applied(deployment, before.events + after.events)
    await assert_tables_equal_oracle(deployment, before.events + after.events)


async def test_a_consumer_that_may_not_join_its_group_says_so(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    _FailingHeartbeats(monkeypatch, GroupAuthorizationFailedError("group"))
    service = Service(deployment.having(group_session_seconds=1).settings, [CLAIMS])
    with pytest.raises(ConsumerStopped, match="GroupAuthorizationFailedError"):
        await asyncio.wait_for(service.run(), LONG)


async def test_a_partition_that_stopped_is_told_again_and_again_while_the_service_lives(
    deployment: Deployment,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(runner, "REMIND_SECONDS", 1)
    load, heartbeat = simulated(deployment, 20), tmp_path / "heartbeat"
    topic = deployment.topic(SUBMITTED)
    await produce(deployment, 0, [with_undecodable_header(load.of(topic).messages[0])])
    watchdog = Watchdog()
    jobs = [heartbeat_job(heartbeat, watchdog)]
    service = Service(deployment.settings, [CLAIMS], jobs, watchdog)
    running = asyncio.create_task(service.run())
    again = f"still stopped: {topic}-0 stopped at offset 0"
    await until(
        lambda: [m.startswith(again) for m in caplog.messages].count(True) == 2, "two reminders"
    )
    assert heartbeat.exists()  # a restart would mend nothing
    service.stop()
    with pytest.raises(ConsumerStopped, match=f"{topic}-0 stopped at offset 0"):
        await running


async def test_a_lane_without_partitions_says_so(
    deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with consuming(deployment.having(claim_lanes=4)):  # and three partition numbers
        await until(lambda: "has no partitions: the group has more" in caplog.text, "an idle lane")


class _FailingHeartbeats:
    """The first two heartbeats fail, one of each lane perhaps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: KafkaError) -> None:
        self.failed = 0
        heartbeat = GroupCoordinator._do_heartbeat

        async def fail_twice(coordinator: GroupCoordinator) -> object:
            if self.failed < 2:
                self.failed += 1
                raise error
            return await heartbeat(coordinator)

        monkeypatch.setattr(GroupCoordinator, "_do_heartbeat", fail_twice)
