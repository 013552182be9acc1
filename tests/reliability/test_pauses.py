"""`offsets pause` and `resume`, over a fleet."""

from contextlib import AsyncExitStack

from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import all_end_offsets, committed, members, publish
from tests.harness.messages import simulated
from tests.harness.operations import YES, offsets_shown, rows
from tests.harness.process import DRAIN, RUN, ServiceProcess, command
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.harness.waiting import until_async

INSTANCES = 3
PAUSED = "paused by an operator's order: nothing is read of "


async def test_every_instance_stops_and_goes_on_and_one_that_starts_later_is_paused_too(
    deployment: Deployment,
) -> None:
    deployment = deployment.having(claim_lanes=1)
    load, topic = simulated(deployment, 1_500), deployment.topic(SUBMITTED)
    before, meanwhile = load.split(2)
    unread = len(meanwhile.of(topic).messages) // 2  # at least: a fetch may be under way
    async with AsyncExitStack() as stack:
        fleet = [stack.enter_context(ServiceProcess(deployment, *RUN)) for _ in range(INSTANCES)]
        await publish(deployment, before.messages)
        await all_applied(deployment, before.events)
        fleet_was = await members(deployment, deployment.group)
        await command(deployment, "offsets", "pause", "--topic", topic, *YES)
        for one in fleet:
            await one.logged(PAUSED + topic)
        await publish(deployment, meanwhile.messages)
        stands_at = await _where_it_stands_once_the_others_are_read(deployment, topic)
        assert await members(deployment, deployment.group) == fleet_was
        with ServiceProcess(deployment, *DRAIN) as later:
            assert await later.ended() == 4
            assert later.log(PAUSED + topic)
            assert f"cannot drain: {topic} paused by an operator's order" in later.output()
        assert _of(topic, await committed(deployment, deployment.group)) == stands_at
        shown = await offsets_shown(deployment, topic)
        assert {one["paused"]["why"] for one in shown.values()} == {"a test"}
        assert sum(one["lag_messages"] for one in shown.values()) > unread
        await command(deployment, "offsets", "resume", *YES)
        await all_applied(deployment, load.events)
        for one in fleet:
            one.terminate()
        assert [await one.ended() for one in fleet] == [0] * INSTANCES
    await assert_tables_equal_oracle(deployment, load.events)
    done = await rows(deployment, "SELECT outcome FROM operator_actions")
    assert [row["outcome"] for row in done] == ["done", "done"]


async def _where_it_stands_once_the_others_are_read(
    deployment: Deployment, topic: str
) -> dict[int, int]:
    ends = await all_end_offsets(deployment)

    async def read() -> dict[int, int]:
        found = await committed(deployment, deployment.group)
        others_read = all(found.get(at) == end for at, end in ends.items() if at[0] != topic)
        return _of(topic, found) if others_read else {}

    return await until_async(read, "the other topics to be read")


def _of(topic: str, positions: dict[tuple[str, int], int]) -> dict[int, int]:
    return {partition: offset for (name, partition), offset in positions.items() if name == topic}
