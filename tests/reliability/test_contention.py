"""Both consumers at once, on the same providers and the same claims."""

from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, ServiceProcess
from tests.harness.rows import assert_tables_equal_oracle


async def test_both_backlogs_with_shared_providers_need_no_second_attempt(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 6_000, providers=3)
    await publish(deployment, load.messages)
    with ServiceProcess(deployment, *DRAIN) as process:
        assert await process.ended() == 0
        assert process.log("failed while applying") == []
    await assert_tables_equal_oracle(deployment, load.events)
