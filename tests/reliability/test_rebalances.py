"""Instances that come, go and freeze in the middle of the work."""

import asyncio
import os
from contextlib import ExitStack
from random import Random

from consumers.engine.group import HEARTBEAT_MS
from tests.harness.deployment import Deployment
from tests.harness.kafka import group_state, publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, RUN, ServiceProcess, command, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.harness.waiting import until, until_async
from tests.reliability.holding import held_inside_the_transaction
from tests.reliability.publishing import published_meanwhile

SEED = int(os.environ.get("CLAIM_ANALYTICS_TEST_SEED", "1"))


async def test_one_joins_and_the_other_leaves(deployment: Deployment) -> None:
    load = simulated(deployment, 4_000)
    before, after = load.split(2)
    await publish(deployment, before.messages)
    with ServiceProcess(deployment, *RUN) as first:
        await first.logged("batch applied")
        async with running(deployment) as second, published_meanwhile(deployment, after, seconds=3):
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
                await asyncio.sleep(rng.uniform(0, 0.5))  # a moment from the seed
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


async def test_a_rebalance_waits_for_the_batch_at_hand_and_drops_what_is_behind_it(
    deployment: Deployment,
) -> None:
    deployment = deployment.having(claim_lanes=1)
    load = simulated(deployment, 3_000)
    with ServiceProcess(deployment, *RUN) as first, ExitStack() as stack:
        await first.logged("partitions assigned")
        publishing = asyncio.create_task(publish(deployment, load.messages))
        async with held_inside_the_transaction(deployment):
            await publishing  # so there is a next batch, decoded, behind the one that is held
            second = stack.enter_context(ServiceProcess(deployment, *RUN))
            await until_async(lambda: _rebalancing(deployment), "a rebalance")
            await asyncio.sleep(2 * HEARTBEAT_MS / 1000)  # the first has heard of it
            assert await _rebalancing(deployment)

        def applied() -> int:
            return first.count("messages") + second.count("messages")

        await until(lambda: applied() >= len(load.messages), "all messages applied")
        assert applied() == len(load.messages)  # none of them twice
        assert first.log("offsets not committed") == []
    await assert_tables_equal_oracle(deployment, load.events)


async def _rebalancing(deployment: Deployment) -> bool:
    """Whether the group waits for its members to give their partitions back."""
    return await group_state(deployment, deployment.group) == "PreparingRebalance"


async def test_the_next_instance_need_not_wait_for_the_session_of_one_that_left(
    deployment: Deployment,
) -> None:
    deployment = deployment.having(group_session_seconds=45)
    async with running(deployment):
        pass
    with ServiceProcess(deployment, *RUN) as following:
        await following.logged("partitions assigned", times=2, within=30)
