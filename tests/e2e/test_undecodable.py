"""A record that the Kafka client itself cannot decode."""

from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import producer, send
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle


async def test_it_stops_its_partition_at_its_offset_and_nothing_else(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 1_000)
    topic = deployment.topic(SUBMITTED)
    behind, elsewhere = load.of(topic).split(10)[0], load.split(2)[1]
    before, after = behind.split(2)
    bad = with_undecodable_header(after.messages[0])
    messages = [*before.messages, bad, *after.messages]
    offset = await produce(deployment, 0, messages) + len(before.messages)
    async with producer(deployment) as client:
        await send(client, elsewhere.messages, partition=1)
    async with running(deployment) as process:
        [stopped] = await process.logged(f"{topic}-0 stopped at offset {offset}:")
        assert stopped["level"] == "error"
        await all_applied(deployment, before.events + elsewhere.events)
    await assert_tables_equal_oracle(deployment, before.events + elsewhere.events)
    with ServiceProcess(deployment, *DRAIN) as drain:
        assert await drain.ended() == 4
        assert f"{topic}-0 stopped at offset {offset}:" in drain.output()
