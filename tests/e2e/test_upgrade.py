"""From a version with 17 metrics, whose instance goes on running, to this one, with traffic that
never stops: as docs/upgrading.md has it."""

from pathlib import Path

from service.cli.common import Exit
from service.local.simulator import PAYMENTS
from tests import servers
from tests.harness.deployment import Deployment, plan_deployment
from tests.harness.former_version import BEFORE_ALL_METRICS, FormerVersion
from tests.harness.kafka import publish
from tests.harness.messages import identities, simulated
from tests.harness.process import RUN, ServiceProcess, command, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle, connected
from tests.harness.waiting import until_async

NO_TABLE = "a table or column is missing (SQLSTATE 42P01)"  # what that version can say of it


async def test_an_older_instance_is_kept_out_and_a_new_one_fills_beside_traffic(
    kafka: str, postgres: str, tmp_path: Path
) -> None:
    former = FormerVersion(BEFORE_ALL_METRICS, tmp_path)
    deployment = plan_deployment(kafka, postgres)
    await deployment.create_topics()
    await former.command(deployment, "migrate")
    # That version reads nothing else; what it has left unread, and all the rest, is the newer's.
    known = simulated(deployment, 1_800, course=PAYMENTS)
    before, during, kept_out = known.split(3)
    after = simulated(deployment, 1_200, seed=2)
    events = known.events + after.events
    with former.process(deployment, *RUN) as older:
        await publish(deployment, before.messages)
        await _until_history_holds(deployment, len(identities(before.events)))
        await publish(deployment, during.messages)
        told = await command(deployment, "migrate")
        by_the_older = await _history(deployment)
        await publish(deployment, kept_out.messages)
        assert await older.ended() == 1
        assert NO_TABLE in older.output()
    assert "Of 12 providers some figures are new in this version" in told
    with former.process(deployment, *RUN) as restarted:  # as a supervisor does
        assert await restarted.ended() == 1
    assert await _history(deployment) == by_the_older
    with ServiceProcess(deployment, *RUN) as newer:
        await publish(deployment, after.messages)
        await all_applied(deployment, events)
        filled = await newer.logged("filled in figures of this version", times=2)
        newer.terminate()
        assert await newer.ended() == 0
        assert newer.strays() == []
    assert [(line["providers"], line["providers_left"]) for line in filled] == [(1, 11), (12, 0)]
    await assert_tables_equal_oracle(deployment, events)


async def test_an_instance_that_the_schema_demands_newer_code_of_writes_nothing_and_ends_with_4(
    deployment: Deployment,
) -> None:
    """What becomes of this version at a `migrate` of a later one."""
    async with running(deployment, exits=Exit.STOPPED) as process:
        servers.execute(
            deployment.database_url, "UPDATE schema_demand SET code_revision = code_revision + 1"
        )
        await publish(deployment, simulated(deployment, 50).messages)
        await process.ended()
        assert "Replace this instance by the newer version" in process.output().splitlines()[-1]
    assert await _history(deployment) == 0
    with ServiceProcess(deployment, "verify") as command_of_it:
        assert await command_of_it.ended() == Exit.STOPPED


async def _until_history_holds(deployment: Deployment, events: int) -> None:
    async def done() -> bool:
        return await _history(deployment) == events

    await until_async(done, f"{events} events in the history")


async def _history(deployment: Deployment) -> int:
    """In whatever schema: the earlier one has no other events."""
    async with connected(deployment) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM claim_events"))
