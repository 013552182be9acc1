"""SIGTERM in the middle of a backlog."""

from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import committed, members, publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, RUN, ServiceProcess, command
from tests.harness.rows import applied_events, assert_tables_equal_oracle, stored_offsets


async def test_it_finishes_its_batch_commits_it_leaves_and_exits_with_0(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 3_000)
    await publish(deployment, load.messages)
    with ServiceProcess(deployment, *RUN) as process:
        await process.logged("batch applied", times=2)
        process.terminate()
        assert await process.ended(within=30) == 0
        applied = process.count("applied") + process.count("stale")
    assert 0 < applied < len(load.events)
    assert await applied_events(deployment) == applied
    for name in (SUBMITTED, PAID):
        group = deployment.group(name)
        assert await committed(deployment, group) == await stored_offsets(deployment, group)
        assert await members(deployment, group) == []
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events)
