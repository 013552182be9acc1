"""A record that the Kafka client itself cannot decode."""

from service.kafka import Message
from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import producer, send
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle

MIB = 1024 * 1024


async def test_it_stops_its_partition_at_its_offset_and_nothing_else(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 1_000)
    topic = deployment.topic(SUBMITTED)
    behind, elsewhere = load.of(topic).split(10)[0], load.split(2)[1].of(topic)
    before, after = behind.split(2)
    bad = with_undecodable_header(after.messages[0])
    messages = [*before.messages, bad, *after.messages]
    offset = await produce(deployment, 0, messages) + len(before.messages)
    async with producer(deployment) as client:
        await send(client, elsewhere.messages, partition=1)
    async with running(deployment, exits=4) as process:
        stopped, *_ = await process.logged(f"{topic}-0 stopped at offset {offset}:")
        assert stopped["level"] == "error"
        await all_applied(deployment, before.events + elsewhere.events)
    await assert_tables_equal_oracle(deployment, before.events + elsewhere.events)
    with ServiceProcess(deployment, *DRAIN) as drain:
        assert await drain.ended() == 4
        assert f"{topic}-0 stopped at offset {offset}:" in drain.output()


async def test_a_record_batch_that_inflates_too_far_stops_its_partition_alone(
    deployment: Deployment,
) -> None:
    deployment = deployment.having(kafka_max_inflated_bytes=MIB)
    topic = deployment.topic(SUBMITTED)
    elsewhere = simulated(deployment, 300).of(topic)
    async with producer(deployment, compression_type="gzip", max_request_size=8 * MIB) as client:
        await send(client, elsewhere.messages, partition=1)
        await send(client, [Message(topic, b"key", bytes(4 * MIB))], partition=0)
    async with running(deployment, exits=4) as process:
        stopped, *_ = await process.logged(f"{topic}-0 stopped at offset 0:")
        assert "InflatesTooFar" in stopped["message"]
        await all_applied(deployment, elsewhere.events)
    await assert_tables_equal_oracle(deployment, elsewhere.events)
