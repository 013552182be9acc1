"""A broker's disk that flips a bit."""

from service.local.stack.kafka import KafkaBroker
from tests.harness.deployment import PAID, SUBMITTED, deploy
from tests.harness.kafka import producer, publish, send
from tests.harness.messages import simulated
from tests.harness.process import running
from tests.harness.rows import all_applied, assert_tables_equal_oracle


async def test_a_batch_with_a_wrong_checksum_stops_its_partition_alone(
    own_kafka: KafkaBroker, postgres: str
) -> None:
    deployment = await deploy(own_kafka.bootstrap_servers, postgres)
    topic = deployment.topic(SUBMITTED)
    load = simulated(deployment, 400)
    intact, *_, broken = load.of(topic).split(20)  # few enough to be one batch each
    elsewhere = load.of(deployment.topic(PAID))
    async with producer(deployment) as client:
        await send(client, intact.messages, partition=0)
        [first, *_] = await send(client, broken.messages, partition=0)
    await publish(deployment, elsewhere.messages)
    own_kafka.stop()
    _flip_last_byte(own_kafka, f"{topic}-0")
    own_kafka.start()
    async with running(deployment, exits=4) as process:
        await process.logged(f"{topic}-0 stopped at offset {first.offset}:")
        await all_applied(deployment, intact.events + elsewhere.events)
    await assert_tables_equal_oracle(deployment, intact.events + elsewhere.events)


def _flip_last_byte(broker: KafkaBroker, partition: str) -> None:
    [segment] = (broker.folder / "data" / partition).glob("*.log")
    content = bytearray(segment.read_bytes())
    content[-1] ^= 0xFF
    segment.write_bytes(content)
