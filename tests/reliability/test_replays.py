"""A replay beside live traffic, and one that is killed in the middle."""

import asyncio

from service.cli.common import Exit
from tests.harness.deployment import Deployment
from tests.harness.kafka import publish
from tests.harness.messages import coach_examples, simulated
from tests.harness.process import ServiceProcess, command, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle
from tests.integration.service.operations.replaying import consumed, replayed
from tests.integration.service.operations.test_redecode import dropping
from tests.reliability.holding import held_inside_the_transaction
from tests.reliability.publishing import published_meanwhile

CORRECTING = ("replay", "--redecode", "--why", "a test")


async def test_replays_beside_live_events_change_nothing_that_is_right(
    deployment: Deployment,
) -> None:
    """Events that the replay brings first are duplicates to the consumers, and the other way."""
    await deployment.create_coach_topic()
    load, said = simulated(deployment, 1_500), coach_examples(deployment)
    await publish(deployment, said.messages)
    async with running(deployment):
        async with published_meanwhile(deployment, load, seconds=3):
            for redecode in (False, True, False):
                await replayed(deployment, redecode=redecode)
                await asyncio.sleep(0.2)  # live events get between two replays
        await all_applied(deployment, load.events + said.events)
    await assert_tables_equal_oracle(deployment, load.events + said.events)


async def test_killed_in_the_middle_of_correcting_and_run_again(deployment: Deployment) -> None:
    load = simulated(deployment, 600)
    await publish(deployment, load.messages)
    await consumed(deployment, dropping("location_id", "hsc_code"))
    with ServiceProcess(deployment, *CORRECTING) as process:
        async with held_inside_the_transaction(deployment):
            process.kill()
    forecast = await replayed(deployment, redecode=True, dry_run=True)
    assert forecast.total("corrected") > 0
    await command(deployment, *CORRECTING)
    await assert_tables_equal_oracle(deployment, load.events)


async def test_a_replay_while_postgresql_does_not_answer_ends_with_a_word(
    deployment: Deployment,
) -> None:
    away = deployment.having(database_url="postgresql://someone@127.0.0.1:1/none")
    with ServiceProcess(away, "replay", "--dry-run") as process:
        assert await process.ended() == Exit.UNAVAILABLE
        assert "nothing listens there" in process.output()
