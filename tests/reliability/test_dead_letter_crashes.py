"""Dying between the transaction and what follows it."""

import signal
import sys

from aiokafka.admin import NewTopic

from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import (
    admin,
    all_end_offsets,
    commit,
    committed,
    dead_letters,
    group_state,
    producer,
    publish,
    send,
)
from tests.harness.messages import nonsense, simulated
from tests.harness.process import DRAIN, RUN, ServiceProcess, command
from tests.harness.rows import applied_events, assert_tables_equal_oracle
from tests.harness.waiting import until_async
from tests.reliability import crash_points
from tests.reliability.crash_points import Point


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


async def test_neither_offset_leads_back_to_them_but_their_rows(deployment: Deployment) -> None:
    """Killed in the same place; then somebody sets the group forwards."""
    restless = deployment.having(group_session_seconds=1, claim_lanes=1)
    await publish(restless, nonsense(restless, 5))
    program = (sys.executable, crash_points.__file__, Point.AFTER_THE_BATCH.value)
    with ServiceProcess(restless, *RUN, program=program) as process:
        assert await process.ended() == -signal.SIGKILL

    async def missed() -> bool:
        return await group_state(restless, restless.group) == "Empty"

    await until_async(missed, "the member that was killed being missed")
    await commit(restless, restless.group, await all_end_offsets(restless))

    async def sent() -> bool:
        return len(await dead_letters(restless)) == 5

    with ServiceProcess(restless, *RUN):  # a drain finds both offsets at the end: nothing to do
        await until_async(sent, "dead letters")
