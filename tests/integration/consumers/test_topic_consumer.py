"""A topic's consumer and a Kafka client that breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from consumers.claims import CLAIM_SUBSCRIPTIONS
from consumers.errors import ConsumerStopped
from service.runner import Service
from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.harness.waiting import LONG, until


async def test_a_client_that_broke_is_replaced(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeats = _FailingHeartbeats(
        monkeypatch, KafkaError("Unexpected exception in heartbeat task")
    )
    before, after = simulated(deployment, 600).split(2)
    async with _consuming(deployment.having(group_session_seconds=1)):
        await publish(deployment, before.messages)
        await until(lambda: heartbeats.failed == 2, "two heartbeats that fail")
        await publish(deployment, after.messages)
        await all_applied(deployment, before.events + after.events)
    await assert_tables_equal_oracle(deployment, before.events + after.events)


async def test_a_consumer_that_may_not_join_its_group_says_so(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    _FailingHeartbeats(monkeypatch, GroupAuthorizationFailedError("group"))
    service = Service(deployment.having(group_session_seconds=1).settings, CLAIM_SUBSCRIPTIONS)
    with pytest.raises(ConsumerStopped, match="GroupAuthorizationFailedError"):
        await asyncio.wait_for(service.run(), LONG)


class _FailingHeartbeats:
    """The first two heartbeats fail, one of each topic's client perhaps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, error: KafkaError) -> None:
        self.failed = 0
        heartbeat = GroupCoordinator._do_heartbeat

        async def fail_twice(coordinator: GroupCoordinator) -> object:
            if self.failed < 2:
                self.failed += 1
                raise error
            return await heartbeat(coordinator)

        monkeypatch.setattr(GroupCoordinator, "_do_heartbeat", fail_twice)


@asynccontextmanager
async def _consuming(deployment: Deployment) -> AsyncIterator[Service]:
    service = Service(deployment.settings, CLAIM_SUBSCRIPTIONS)
    running = asyncio.create_task(service.run())
    try:
        yield service
    finally:
        service.stop()
        await running
