"""From published events to whole tables, through the real process."""

from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, ServiceProcess, command, running
from tests.harness.rows import assert_tables_equal_oracle


async def test_duplicates_disorder_corrections_and_both_modes_end_as_the_oracle_says(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 3_000)
    await publish(deployment, load.messages)
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events)
    assert "as recomputed" in await command(deployment, "verify")


async def test_a_second_drain_reads_nothing_again(deployment: Deployment) -> None:
    await publish(deployment, simulated(deployment, 300).messages)
    await command(deployment, *DRAIN)
    with ServiceProcess(deployment, *DRAIN) as again:
        assert await again.ended() == 0
        assert again.count("messages") == 0


async def test_empty_topics_are_drained_at_once(deployment: Deployment) -> None:
    await command(deployment, *DRAIN)


async def test_a_drain_ends_when_another_instance_does_the_work(deployment: Deployment) -> None:
    load = simulated(deployment, 300)
    async with running(deployment):
        await publish(deployment, load.messages)
        await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events)
