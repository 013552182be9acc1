"""A flood of bad messages."""

from tests.e2e.letters import assert_dead_lettered_once, sent
from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import committed, dead_letters, producer, send
from tests.harness.messages import nonsense
from tests.harness.process import DRAIN, RUN, ServiceProcess, command


async def test_a_flood_stops_the_process_and_goes_through_when_told_to(
    deployment: Deployment,
) -> None:
    cautious = deployment.having(brake_run=100)
    few, flood = nonsense(deployment, 50), nonsense(deployment, 300)
    with ServiceProcess(cautious, *RUN) as process:
        async with producer(deployment) as client:
            places = sent(few, await send(client, few, partition=0))
            await process.logged("batch applied")
            places += sent(flood, await send(client, flood, partition=0))
        assert await process.ended() == 4
        assert "100 messages in a row could not be used" in process.output()
        assert "CLAIM_ANALYTICS_BRAKE_RATIO=1" in process.output()
        assert "Traceback" not in process.output()
    position = (await committed(deployment, deployment.group(SUBMITTED)))[
        (deployment.topic(SUBMITTED), 0)
    ]
    assert len(await dead_letters(deployment)) == position < 100
    await command(cautious.having(brake_run=0, brake_ratio=1), *DRAIN)
    await assert_dead_lettered_once(deployment, places)
