"""Transactions and compression, as other producers use them."""

from uuid import uuid4

from tests.harness.deployment import Deployment
from tests.harness.kafka import producer, publish, send
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, command
from tests.harness.rows import assert_tables_equal_oracle


async def test_only_committed_transactions_are_applied_and_a_drain_sees_the_end(
    deployment: Deployment,
) -> None:
    committed, aborted, later = simulated(deployment, 600).split(3)
    async with producer(deployment, transactional_id=uuid4().hex) as client:
        async with client.transaction():
            await send(client, committed.messages)
        await client.begin_transaction()
        await send(client, aborted.messages)
        await client.abort_transaction()
        async with client.transaction():
            await send(client, later.messages)
        await client.begin_transaction()
        await send(client, aborted.messages)
        await client.abort_transaction()  # so that the partitions end with control records
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, committed.events + later.events)


async def test_every_kind_of_compression_is_read(deployment: Deployment) -> None:
    load = simulated(deployment, 800)
    for part, codec in zip(load.split(4), ("gzip", "snappy", "lz4", "zstd"), strict=True):
        await publish(deployment, part.messages, compression_type=codec)
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events)
