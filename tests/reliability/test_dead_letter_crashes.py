"""Dying between the transaction and what follows it."""

from aiokafka.admin import NewTopic

from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import admin, committed, dead_letters, producer, send
from tests.harness.messages import nonsense, simulated
from tests.harness.process import DRAIN, RUN, ServiceProcess, command
from tests.harness.rows import applied_events, assert_tables_equal_oracle
from tests.harness.waiting import until_async


async def test_killed_after_the_transaction_and_before_its_dead_letters(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 100).of(deployment.topic(SUBMITTED))
    bad = nonsense(deployment, 5)
    first, *others = load.messages
    # In one record batch, and among the first that a reader asks for: an event is applied with
    # what is to be dead-lettered.
    async with producer(deployment, linger_ms=500, max_batch_size=2**20) as client:
        await send(client, [first, *bad, *others], partition=0)
    dead_letter_topic = deployment.topic(SUBMITTED) + deployment.settings.topic_dlq_suffix
    async with admin(deployment) as client:
        await client.delete_topics([dead_letter_topic])  # so there is nothing to publish to
        with ServiceProcess(deployment, *RUN) as process:

            async def applied() -> bool:
                return await applied_events(deployment) > 0

            await until_async(applied, "events that are applied")
            process.kill()
        positions = await committed(deployment, deployment.group)
        assert positions.get((deployment.topic(SUBMITTED), 0), 0) == 0
        await client.create_topics([NewTopic(dead_letter_topic, 3, 1)])
    await command(deployment, *DRAIN)
    assert len(await dead_letters(deployment)) == len(bad)
    await assert_tables_equal_oracle(deployment, load.events)
