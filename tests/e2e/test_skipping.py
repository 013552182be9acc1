"""`offsets skip`: past what nobody can read, while everything else goes on."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from consumers.kafka.groups import Place
from consumers.topics.claims import CLAIMS
from repositories.offsets import NextOffset, store_offsets
from repositories.operations.stops import StoppedPartition, tell_stops
from repositories.vocabulary import StopCause
from service.operations.skipping import (
    NoSuchPartition,
    SkipPlan,
    SkipRefused,
    WrongOffset,
    plan_skip,
)
from service.operations.standing import looking_at_kafka, own_topics, standings
from service.wiring import open_database
from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import all_end_offsets, commit, committed, members, producer, publish, send
from tests.harness.losing import Remaining
from tests.harness.messages import simulated
from tests.harness.operations import YES, offsets_shown, rows
from tests.harness.process import ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle, stored_offsets
from tests.harness.waiting import until_async

SKIP = ("offsets", "skip")


async def test_the_member_goes_past_a_record_that_cannot_be_decoded_and_the_others_notice_nothing(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 1_000)
    topic = deployment.topic(SUBMITTED)
    before, lost, after = load.of(topic).split(3)
    others = load.without(topic)
    first, later = others.split(2)
    bad = with_undecodable_header(lost.messages[0])
    stands_at = await produce(deployment, 0, [*before.messages, bad, *lost.messages]) + len(
        before.messages
    )
    go_on_at = stands_at + 1 + len(lost.messages)  # its neighbours in the record batch go with it
    async with producer(deployment) as client:
        await send(client, after.messages, partition=0)
    await publish(deployment, first.messages)
    async with running(deployment) as process:
        await process.logged(f"{topic}-0 stopped at offset {stands_at}:")
        await all_applied(deployment, before.events + first.events)
        await _known_as_stopped(deployment, topic)
        shown = await offsets_shown(deployment, topic)
        had_it, assigned = await members(deployment, deployment.group), process.log("partitions")
        with ServiceProcess(deployment, *SKIP, topic, "0", "--to", "next", *YES) as skip:
            await publish(deployment, later.messages)
            assert await skip.ended() == 0, skip.output()
            said = skip.output()
        await all_applied(deployment, before.events + after.events + others.events)
        assert await members(deployment, deployment.group) == had_it
        assert process.log("partitions") == assigned  # no rebalance
        await _both_offsets_are_at_the_end(deployment)
    passed = go_on_at - stands_at
    assert f"offsets {stands_at} to {go_on_at - 1}, {passed} records at most" in said
    assert f"it goes on at offset {go_on_at}" in said
    stop = shown[0]["stopped"]
    assert (stop["at"], stop["cause"], stop["confirmed"]) == (stands_at, "undecodable", True)
    assert shown[0]["lag_messages"] == passed + len(after.messages)
    assert shown[0]["lag_seconds"] >= 0
    assert shown[0]["member"]["client_id"].startswith("claim-analytics/")
    assert shown[1]["stopped"] is None
    assert await rows(deployment, "SELECT * FROM stopped_partitions") == []
    [order] = await rows(deployment, "SELECT * FROM orders JOIN operator_actions USING (action_id)")
    assert (order["taken_by"], order["outcome"]) == (stop["instance"], "done")
    assert (order["command"], order["why"]) == ("offsets skip", "a test")
    assert json.loads(order["counts"]) == {"passed_over_at_most": passed}
    await assert_tables_equal_oracle(deployment, before.events + after.events + others.events)


async def test_what_is_not_stopped_or_not_there_is_left_as_it_is(
    deployment: Deployment, remaining: Remaining
) -> None:
    """Without a member it is tried; a member says it itself."""
    topic, paid = deployment.topic(SUBMITTED), deployment.topic(PAID)
    lost, end = remaining.lost, (await all_end_offsets(deployment))[topic, 0]
    before = await stored_offsets(deployment, deployment.group)
    async with _planning(deployment) as plan:
        with pytest.raises(NoSuchPartition, match="no partition 3: it has 3, from 0 to 2"):
            await plan((topic, 3), None)
        for wrong in (0, lost.start, lost.start + 1, end + 1):
            with pytest.raises(WrongOffset):
                await plan((topic, 0), wrong)
        with pytest.raises(SkipRefused, match="has not stopped: what stands at offset"):
            await plan((paid, 0), None)
        assert (await plan((topic, 0), None)).skip.next_offset == lost.stop
        assert (await plan((topic, 0), end)).skip.next_offset == end
        async with running(deployment, exits=4) as process:
            await process.logged(f"{topic}-0 stopped")
            await _known_as_stopped(deployment, topic)
            with pytest.raises(SkipRefused, match=r"has not stopped: claim-analytics/.* reads it"):
                await plan((paid, 0), None)
            assert not (await plan((topic, 0), None)).alone
    assert (await stored_offsets(deployment, deployment.group))[topic, 0] == before[topic, 0]
    assert await rows(deployment, "SELECT * FROM orders") == []
    assert await rows(deployment, "SELECT * FROM operator_actions") == []


async def test_a_stop_is_shown_as_long_as_nobody_has_read_on(deployment: Deployment) -> None:
    """Though the instance that told of it is dead, and cannot take it back."""
    topic, settings = deployment.topic(SUBMITTED), deployment.settings
    await commit(deployment, deployment.group, {(topic, 0): 7})
    async with open_database(settings) as database, looking_at_kafka(settings) as kafka:
        async with database.transaction() as connection:
            await store_offsets(connection, [NextOffset(deployment.group, topic, 0, 7)])

        async def shown_if_it_stood_at(offset: int) -> bool:
            said = (deployment.group, topic, 0, offset, StopCause.OFFSET_GONE, "why")
            await tell_stops(database, "dead", [StoppedPartition(*said)], [])
            [found] = await standings(kafka, database, {topic: deployment.group})
            return found.partitions[0].stop is not None

        assert await shown_if_it_stood_at(7)
        assert not await shown_if_it_stood_at(6)


@asynccontextmanager
async def _planning(
    deployment: Deployment,
) -> AsyncIterator[Callable[[Place, int | None], Awaitable[SkipPlan]]]:
    """What `offsets skip` does before it asks."""
    settings, topics = deployment.settings, own_topics(deployment.settings, [CLAIMS])
    async with open_database(settings) as database, looking_at_kafka(settings) as kafka:
        yield lambda place, to: plan_skip(kafka, database, topics, place, to)


async def _known_as_stopped(deployment: Deployment, topic: str) -> None:
    query = f"SELECT 1 FROM stopped_partitions WHERE topic = '{topic}'"

    async def known() -> bool:
        return bool(await rows(deployment, query))

    await until_async(known, "a partition that is known to have stopped")


async def _both_offsets_are_at_the_end(deployment: Deployment) -> None:
    ends = await all_end_offsets(deployment)

    async def both() -> bool:
        group = deployment.group
        return await committed(deployment, group) == ends == await stored_offsets(deployment, group)

    await until_async(both, "offsets at the end")
