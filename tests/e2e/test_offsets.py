"""Kafka's offsets and the database's: set back, lost, or one ahead of the other."""

from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import uuid4

from tests.harness.deployment import Deployment
from tests.harness.kafka import all_end_offsets, commit, committed, publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, ServiceProcess, command, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle, stored_offsets
from tests.oracle import PlainEvent
from tests.servers import execute


async def test_offsets_set_back_to_the_beginning_change_nothing(deployment: Deployment) -> None:
    load = simulated(deployment, 1_000)
    await publish(deployment, load.messages)
    await command(deployment, *DRAIN)
    await commit(deployment, deployment.group, dict.fromkeys(await all_end_offsets(deployment), 0))
    with ServiceProcess(deployment, *DRAIN) as again:
        assert await again.ended() == 0
        assert again.count("applied") == again.count("stale") == 0
        assert again.count("duplicate") == len(load.messages)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_an_offset_set_forwards_skips_nothing(deployment: Deployment) -> None:
    before, after = simulated(deployment, 600).split(2)
    await publish(deployment, before.messages)
    await command(deployment, *DRAIN)
    await publish(deployment, after.messages)
    await commit(deployment, deployment.group, await all_end_offsets(deployment))
    await _consume(deployment, before.events + after.events)
    await assert_tables_equal_oracle(deployment, before.events + after.events)


async def test_a_database_restored_from_a_backup_gets_again_what_it_lost(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 1_500)
    backed_up, lost, later = load.split(3)
    await publish(deployment, backed_up.messages)
    await command(deployment, *DRAIN)
    backup = f"backup_{uuid4().hex}"
    _copy_database(deployment, _name(deployment), backup)
    await publish(deployment, lost.messages)
    await command(deployment, *DRAIN)
    _copy_database(deployment, backup, _name(deployment))
    _drop_database(deployment, backup)
    await publish(deployment, later.messages)
    await _consume(deployment, load.events)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_database_that_begins_anew_gets_everything_again(deployment: Deployment) -> None:
    load = simulated(deployment, 600)
    await publish(deployment, load.messages)
    await command(deployment, *DRAIN)
    _copy_database(deployment, "template0", _name(deployment))
    await deployment.migrate()
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_kafka_and_the_database_agree_on_the_offsets_in_the_end(
    deployment: Deployment,
) -> None:
    await publish(deployment, simulated(deployment, 300).messages)
    await command(deployment, *DRAIN)
    ends = await all_end_offsets(deployment)
    assert await committed(deployment, deployment.group) == ends
    assert await stored_offsets(deployment, deployment.group) == ends


async def _consume(deployment: Deployment, events: Sequence[PlainEvent]) -> None:
    async with running(deployment):
        await all_applied(deployment, events)


def _name(deployment: Deployment) -> str:
    return urlsplit(deployment.database_url).path.removeprefix("/")


def _copy_database(deployment: Deployment, source: str, target: str) -> None:
    """Make `target` what `source` is."""
    _drop_database(deployment, target)
    execute(_server(deployment), f"CREATE DATABASE {target} TEMPLATE {source}")


def _drop_database(deployment: Deployment, name: str) -> None:
    execute(_server(deployment), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _server(deployment: Deployment) -> str:
    return urlsplit(deployment.database_url)._replace(path="/postgres").geturl()
