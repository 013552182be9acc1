"""Instances that come, go and freeze in the middle of the work."""

import asyncio
import os
from random import Random

from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, RUN, ServiceProcess, command, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.reliability.publishing import published_meanwhile

SEED = int(os.environ.get("CLAIM_ANALYTICS_TEST_SEED", "1"))


async def test_one_joins_and_the_other_leaves(deployment: Deployment) -> None:
    load = simulated(deployment, 4_000)
    async with published_meanwhile(deployment, load, seconds=5):
        with ServiceProcess(deployment, *RUN) as first:
            await first.logged("batch applied")
            async with running(deployment) as second:
                await second.logged("batch applied")
                first.terminate()
                assert await first.ended() == 0
                await second.logged("partitions assigned", times=4)
                await all_applied(deployment, load.events)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_storm_of_rebalances(deployment: Deployment) -> None:
    rng = Random(SEED)
    load = simulated(deployment, 4_000, SEED)
    async with published_meanwhile(deployment, load, seconds=8), running(deployment):
        for _ in range(4):
            with ServiceProcess(deployment, *RUN) as guest:
                await guest.logged("partitions assigned")
                await asyncio.sleep(rng.uniform(0, 0.5))
                guest.terminate()
                assert await guest.ended() == 0
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_one_that_froze_and_was_replaced_does_no_harm_when_it_wakes_up(
    deployment: Deployment,
) -> None:
    deployment = deployment.having(group_session_seconds=1)
    before, meanwhile, after = simulated(deployment, 2_000).split(3)
    async with running(deployment) as frozen:
        await publish(deployment, before.messages)
        await all_applied(deployment, before.events)
        frozen.freeze()
        async with running(deployment):
            await publish(deployment, meanwhile.messages)
            await all_applied(deployment, before.events + meanwhile.events)
            frozen.thaw()
            await publish(deployment, after.messages)
            await frozen.logged("partitions assigned", times=4)
            await all_applied(deployment, before.events + meanwhile.events + after.events)
    await assert_tables_equal_oracle(deployment, before.events + meanwhile.events + after.events)


async def test_the_next_instance_need_not_wait_for_the_session_of_one_that_left(
    deployment: Deployment,
) -> None:
    deployment = deployment.having(group_session_seconds=45)
    async with running(deployment):
        pass
    with ServiceProcess(deployment, *RUN) as following:
        await following.logged("partitions assigned", times=2, within=30)
