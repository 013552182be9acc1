"""SIGKILL at any moment, again and again, while publishing goes on.

To try other moments, run with another seed: CLAIM_ANALYTICS_TEST_SEED=7 pytest …
"""

import asyncio
import os
from random import Random

from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import coach_examples, simulated
from tests.harness.process import DRAIN, RUN, ServiceProcess, command, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.reliability.holding import held_inside_the_transaction
from tests.reliability.publishing import published_meanwhile

SEED = int(os.environ.get("CLAIM_ANALYTICS_TEST_SEED", "1"))
KILLS = 8
# A member that is killed is soon missed, and small batches make many moments to be killed in.
RESTLESS = {"group_session_seconds": 1, "batch_max_events": 50}


async def test_killed_again_and_again_and_nothing_is_lost_or_doubled(
    deployment: Deployment,
) -> None:
    rng = Random(SEED)
    deployment = deployment.having(**RESTLESS)
    load = simulated(deployment, 4_000, SEED)
    for part in load.split(KILLS):
        async with published_meanwhile(deployment, part, seconds=2):
            with ServiceProcess(deployment, *RUN) as process:
                await process.logged("batch applied")
                await asyncio.sleep(rng.uniform(0, 0.5))  # a moment from the seed
                process.kill()
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_of_two_instances_one_is_killed_now_and_then(deployment: Deployment) -> None:
    rng = Random(SEED)
    deployment = deployment.having(**RESTLESS)
    load = simulated(deployment, 4_000, SEED)
    async with running(deployment):
        for part in load.split(KILLS // 2):
            async with published_meanwhile(deployment, part, seconds=2):
                with ServiceProcess(deployment, *RUN) as victim:
                    await victim.logged("partitions assigned")
                    await asyncio.sleep(rng.uniform(0, 0.5))  # a moment from the seed
                    victim.kill()
        await all_applied(deployment, load.events)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_killed_inside_the_transaction(deployment: Deployment) -> None:
    """In those of claims and in that of the AI coach's events."""
    await deployment.create_coach_topic()
    load, said = simulated(deployment, 300), coach_examples(deployment)
    await publish(deployment, [*load.messages, *said.messages])
    with ServiceProcess(deployment, *RUN) as process:
        async with held_inside_the_transaction(deployment, "claims", "ai_suggestions"):
            process.kill()
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events + said.events)
