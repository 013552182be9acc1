"""PostgreSQL goes away under load and comes back; nobody helps the process."""

import asyncio

import pytest

from consumers.engine.reader import SILENCE_SECONDS
from service.local.stack.postgres import PostgresServer
from tests.harness.deployment import Deployment, deploy
from tests.harness.kafka import publish
from tests.harness.messages import simulated
from tests.harness.process import RUN, ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.reliability.outages import (
    WAYS_TO_END,
    copy_of_data,
    group_members,
    has_tried_in_vain,
    hung,
    restore_data,
)


@pytest.fixture
async def deployment(kafka: str, own_database: str) -> Deployment:
    """On a database server that the test may stop; a dead member is missed after 2 seconds."""
    deployment = await deploy(kafka, own_database)
    return deployment.having(group_session_seconds=2)


@pytest.mark.parametrize("end", WAYS_TO_END)
async def test_the_process_waits_for_the_database_and_keeps_its_partitions(
    deployment: Deployment, own_postgres: PostgresServer, end: str
) -> None:
    before, after = simulated(deployment, 3_000).split(2)
    async with running(deployment) as process:
        members = await group_members(deployment)
        await publish(deployment, before.messages)
        await process.logged("batch applied", times=3)
        WAYS_TO_END[end](own_postgres)
        await process.logged("failed while applying")
        assigned = process.log("partitions assigned")
        await publish(deployment, after.messages)
        await has_tried_in_vain(process, "failed while applying", seconds=4)
        own_postgres.start()
        await all_applied(deployment, before.events + after.events)
        assert await group_members(deployment) == members
        assert process.log("partitions assigned") == assigned
    await assert_tables_equal_oracle(deployment, before.events + after.events)


async def test_a_database_that_comes_back_without_its_last_transactions_gets_them_again(
    deployment: Deployment, own_postgres: PostgresServer
) -> None:
    load = simulated(deployment, 2_000)
    kept, lost, later = load.split(3)
    async with running(deployment):
        await publish(deployment, kept.messages)
        await all_applied(deployment, kept.events)
        own_postgres.stop()
        backup = copy_of_data(own_postgres)
        own_postgres.start()
        await publish(deployment, lost.messages)
        await all_applied(deployment, kept.events + lost.events)
        own_postgres.stop()
        restore_data(own_postgres, backup)
        own_postgres.start()
        await publish(deployment, later.messages)
        await all_applied(deployment, load.events)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_database_that_hangs_keeps_no_process_from_ending(
    deployment: Deployment, own_postgres: PostgresServer
) -> None:
    load = simulated(deployment, 3_000)
    with ServiceProcess(deployment.having(shutdown_seconds=1), *RUN) as process:
        await publish(deployment, load.messages)
        await process.logged("batch applied", times=2)
        with hung(own_postgres):
            process.terminate()
            assert await process.ended(within=45) == 0
            assert await group_members(deployment) == []
    async with running(deployment):
        await all_applied(deployment, load.events)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_database_that_hangs_is_named_and_kafka_is_not_blamed(
    deployment: Deployment, own_postgres: PostgresServer
) -> None:
    load = simulated(deployment, 3_000)
    async with running(deployment) as process:
        await publish(deployment, load.messages)
        await process.logged("batch applied", times=2)
        with hung(own_postgres):
            [told, *_] = await process.logged("applying a batch of claims has waited")
            assert "for a statement: PostgreSQL does not answer" in told["message"]
            await asyncio.sleep(SILENCE_SECONDS)  # so long it would have kept silent about Kafka
        await all_applied(deployment, load.events)
        await process.logged("recovered after")
        assert [line for line in process.log() if "Kafka" in line["message"]] == []
    await assert_tables_equal_oracle(deployment, load.events)


async def test_partitions_move_while_the_database_is_away(
    deployment: Deployment, own_postgres: PostgresServer
) -> None:
    deployment = deployment.having(group_rebalance_seconds=3)
    load = simulated(deployment, 2_000)
    async with running(deployment) as first:
        with ServiceProcess(deployment, *RUN) as second:
            await second.logged("partitions assigned", times=2)
            await publish(deployment, load.messages)
            await first.logged("batch applied")
            own_postgres.stop()
            await first.logged("failed while applying")
            assigned = len(first.log("partitions assigned"))
            second.terminate()
            await first.logged("partitions assigned", times=assigned + 2)
            own_postgres.start()
            await all_applied(deployment, load.events)
            assert await second.ended() == 0
    await assert_tables_equal_oracle(deployment, load.events)
