"""Locks: of both consumers on the same claims, and of somebody who keeps them."""

from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.reliability.holding import held_inside_the_transaction


async def test_both_backlogs_with_shared_providers_need_no_second_attempt(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 6_000, providers=3)
    await publish(deployment, load.messages)
    with ServiceProcess(deployment, *DRAIN) as process:
        assert await process.ended() == 0
        assert process.log("failed while applying") == []
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_lock_that_somebody_keeps_is_waited_for_and_told(deployment: Deployment) -> None:
    load = simulated(deployment, 300)
    async with running(deployment.having(database_statement_seconds=1)) as process:
        await publish(deployment, load.messages)
        async with held_inside_the_transaction(deployment):
            await process.logged("failed while applying a batch", times=2)
        await all_applied(deployment, load.events)
        await process.logged("recovered after")
    await assert_tables_equal_oracle(deployment, load.events)
