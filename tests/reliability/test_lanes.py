"""Lanes of one process and of several, on topics that are keyed by provider."""

import asyncio
from collections import defaultdict
from dataclasses import replace
from uuid import UUID

import pytest

from tests.harness.deployment import Deployment, deploy
from tests.harness.kafka import publish
from tests.harness.messages import Load, simulated
from tests.harness.process import RUN, LogLine, ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle, connected
from tests.oracle import PlainEvent
from tests.reliability.publishing import published_meanwhile

PROVIDERS_OF_PARTITIONS = """
    SELECT source_partition, array_agg(DISTINCT provider_id) FROM claim_events GROUP BY 1
"""


@pytest.fixture
async def deployment(kafka: str, postgres: str) -> Deployment:
    """With equal partition counts, which is what keeps providers apart."""
    return await deploy(kafka, postgres, even=True)


async def test_a_rebalance_moves_partition_numbers_with_all_their_topics(
    deployment: Deployment,
) -> None:
    load = _keyed_by_provider(simulated(deployment, 3_000))
    async with running(deployment) as first:
        async with published_meanwhile(deployment, load, seconds=5):
            with ServiceProcess(deployment, *RUN) as second:
                await second.logged("partitions assigned", times=2)
                await asyncio.sleep(1)  # in the middle of what is published
                second.terminate()
                assert await second.ended() == 0
                lines = second.log("partitions assigned")
        await all_applied(deployment, load.events)
        lines += first.log("partitions assigned")
    assert len(lines) >= 6
    for line in lines:
        by_topic = _numbers_by_topic(line)
        alike = {frozenset(by_topic.get(topic, ())) for topic in deployment.topics[:2]}
        assert len(alike) == 1, line
        assert set().union(*by_topic.values()) <= next(iter(alike)), line
    await assert_tables_equal_oracle(deployment, load.events)


async def test_no_two_lanes_hold_locks_of_one_provider(deployment: Deployment) -> None:
    load = _keyed_by_provider(simulated(deployment, 1_000))
    async with running(deployment) as process:
        await publish(deployment, load.messages)
        await all_applied(deployment, load.events)
        latest = {line["lane"]: line for line in process.log("partitions assigned")}
    numbers = [set().union(*_numbers_by_topic(line).values()) for line in latest.values()]
    assert len(numbers) == 2
    assert set.union(*numbers) == {0, 1, 2}
    assert not set.intersection(*numbers)
    async with connected(deployment) as connection:
        rows = await connection.fetch(PROVIDERS_OF_PARTITIONS)
    of_lanes = [
        {provider for partition, providers in rows if partition in own for provider in providers}
        for own in numbers
    ]
    assert not set.intersection(*of_lanes)


async def test_a_lane_that_waits_for_a_lock_holds_up_no_other(deployment: Deployment) -> None:
    before, after = _keyed_by_provider(simulated(deployment, 2_000)).split(2)
    async with running(deployment) as process:
        await publish(deployment, before.messages)
        await all_applied(deployment, before.events)
        lane, *_ = {line["lane"]: line for line in process.log("partitions assigned")}.values()
        numbers = set().union(*_numbers_by_topic(lane).values())
        async with connected(deployment) as connection, connection.transaction():
            rows = await connection.fetch(PROVIDERS_OF_PARTITIONS)
            locked = {one for number, of_it in rows if number in numbers for one in of_it}
            await connection.execute(
                "SELECT FROM providers WHERE provider_id = ANY($1) FOR NO KEY UPDATE", list(locked)
            )
            await publish(deployment, after.messages)
            free = [event for event in after.events if _provider(event) not in locked]
            assert 0 < len(free) < len(after.events)
            await all_applied(deployment, before.events + free)
        await all_applied(deployment, before.events + after.events)
    await assert_tables_equal_oracle(deployment, before.events + after.events)


def _keyed_by_provider(load: Load) -> Load:
    pairs = zip(load.messages, load.events, strict=True)
    messages = [replace(message, key=str(_provider(event)).encode()) for message, event in pairs]
    return Load(messages, load.events)


def _provider(event: PlainEvent) -> UUID:
    return UUID(str(event["data"]["provider_id"]))


def _numbers_by_topic(line: LogLine) -> dict[str, set[int]]:
    """Of a "partitions assigned" line."""
    found = defaultdict[str, set[int]](set)
    for name in line["partitions"]:
        topic, _, number = name.rpartition("-")
        found[topic].add(int(number))
    return found
