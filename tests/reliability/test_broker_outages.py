"""Kafka goes away under load and comes back; nobody helps the process."""

import pytest

from service.local.stack.kafka import KafkaBroker
from tests.harness.deployment import Deployment, deploy
from tests.harness.kafka import dead_letters, publish
from tests.harness.messages import nonsense, simulated
from tests.harness.process import DRAIN, ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle


@pytest.fixture
async def deployment(own_kafka: KafkaBroker, postgres: str) -> Deployment:
    """On a broker that the test may stop."""
    return await deploy(own_kafka.bootstrap_servers, postgres)


async def test_a_restart_of_the_broker_loses_and_doubles_nothing(
    deployment: Deployment, own_kafka: KafkaBroker
) -> None:
    before, after = simulated(deployment, 3_000).split(2)
    async with running(deployment) as process:
        await publish(deployment, before.messages)
        await process.logged("batch applied", times=3)
        own_kafka.stop()
        own_kafka.start()
        await publish(deployment, after.messages)
        await all_applied(deployment, before.events + after.events)
    await assert_tables_equal_oracle(deployment, before.events + after.events)


async def test_the_process_waits_for_a_broker_that_was_killed(
    deployment: Deployment, own_kafka: KafkaBroker
) -> None:
    deployment = deployment.having(batch_max_events=10)  # so that one is under way at any moment
    before, after = simulated(deployment, 3_000).split(2)
    async with running(deployment) as process:
        await publish(deployment, nonsense(deployment, 3))  # so there is a producer to lose, too
        await publish(deployment, before.messages)
        await process.logged("batch applied", times=3)
        own_kafka.kill()
        await process.logged("failed while committing offsets")
        own_kafka.start()
        await publish(deployment, nonsense(deployment, 3))
        await publish(deployment, after.messages)
        await all_applied(deployment, before.events + after.events)
    await assert_tables_equal_oracle(deployment, before.events + after.events)
    assert len(await dead_letters(deployment)) == 6


async def test_an_idle_process_says_that_the_broker_is_away(
    deployment: Deployment, own_kafka: KafkaBroker
) -> None:
    async with running(deployment) as process:
        await publish(deployment, nonsense(deployment, 1))
        await process.logged("batch applied")
        own_kafka.kill()
        await process.logged("no answer from Kafka")
        own_kafka.start()
        await process.logged("recovered after", times=2)
        assert len(process.log("no answer from Kafka")) <= 8  # of two lanes


async def test_a_drain_outlives_a_restart_of_the_broker(
    deployment: Deployment, own_kafka: KafkaBroker
) -> None:
    load = simulated(deployment, 3_000)
    await publish(deployment, load.messages)
    with ServiceProcess(deployment.having(batch_max_events=1), *DRAIN) as process:
        await process.logged("batch applied")
        own_kafka.kill()
        own_kafka.start()
        assert await process.ended() == 0
    await assert_tables_equal_oracle(deployment, load.events)
