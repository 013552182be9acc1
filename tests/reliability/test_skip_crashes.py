"""Killed between the two offsets that a skip moves, and taken up again."""

import sys
from pathlib import Path

import pytest

from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.kafka import committed
from tests.harness.losing import Remaining
from tests.harness.operations import YES, rows
from tests.harness.process import RUN, ServiceProcess, command, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle, stored_offsets
from tests.harness.waiting import until_async

LAST_IS_DONE = """
    SELECT 1 FROM orders
    WHERE outcome = 'done' AND ordered_at = (SELECT max(ordered_at) FROM orders)
"""
KILLED_BETWEEN = (sys.executable, Path(__file__).with_name("skip_crash.py"))


async def test_a_member_that_is_killed_leaves_the_order_to_the_next(
    deployment: Deployment, remaining: Remaining
) -> None:
    topic, lost = deployment.topic(SUBMITTED), remaining.lost
    skip = ("offsets", "skip", topic, "0", "--to", "next", *YES)
    with ServiceProcess(deployment, *RUN, program=KILLED_BETWEEN) as member:
        await member.logged(f"{topic}-0 stopped")
        await until_async(
            lambda: rows(deployment, "SELECT 1 FROM stopped_partitions"), "what the member says"
        )
        with ServiceProcess(deployment, *skip) as ordering:
            assert await member.ended() == -9
            await _assert_between(deployment, lost)
            async with running(deployment) as next_one:
                assert await ordering.ended() == 0, ordering.output()
                await all_applied(deployment, remaining.readable)
                assert next_one.log(f"{topic}-0 goes on at offset {lost.stop}")
    assert await rows(deployment, LAST_IS_DONE)
    await assert_tables_equal_oracle(deployment, remaining.readable)


@pytest.mark.parametrize("by", ["a member", "the command"])
async def test_a_command_that_is_killed_leaves_an_order_that_is_carried_out_or_given_again(
    deployment: Deployment, remaining: Remaining, by: str
) -> None:
    skip = ("offsets", "skip", deployment.topic(SUBMITTED), "0", "--to", "next", *YES)
    with ServiceProcess(deployment, *skip, program=KILLED_BETWEEN) as ordering:
        assert await ordering.ended() == -9
    await _assert_between(deployment, remaining.lost)
    if by == "the command":
        said = await command(deployment, *skip)
        assert f"The group {deployment.group} has no members: both offsets are moved" in said
    async with running(deployment):
        await all_applied(deployment, remaining.readable)
        await until_async(lambda: rows(deployment, LAST_IS_DONE), "the end of the order")
    await assert_tables_equal_oracle(deployment, remaining.readable)


async def _assert_between(deployment: Deployment, lost: range) -> None:
    at = (deployment.topic(SUBMITTED), 0)
    # With what follows, if that was read by then.
    assert (await stored_offsets(deployment, deployment.group))[at] >= lost.stop
    assert (await committed(deployment, deployment.group))[at] == lost.start
    [order] = await rows(deployment, "SELECT * FROM orders")
    assert order["taken_by"]
    assert order["closed_at"] is None
