"""Messages that the broker no longer has, at the offset where a consumer would go on."""

from tests.harness.deployment import SUBMITTED, Deployment
from tests.harness.losing import Remaining
from tests.harness.process import DRAIN, ServiceProcess, running
from tests.harness.rows import all_applied, assert_tables_equal_oracle


async def test_the_partition_stops_loudly_and_the_others_go_on(
    deployment: Deployment, remaining: Remaining
) -> None:
    async with running(deployment, exits=4) as process:
        [stopped] = await process.logged(f"{deployment.topic(SUBMITTED)}-0 stopped")
        assert stopped["level"] == "error"
        assert f"no offset {remaining.lost.start} any more" in stopped["message"]
        await all_applied(deployment, remaining.elsewhere)
    await assert_tables_equal_oracle(deployment, remaining.elsewhere)


async def test_a_drain_fails(deployment: Deployment, remaining: Remaining) -> None:
    with ServiceProcess(deployment, *DRAIN) as process:
        assert await process.ended() == 4
        assert f"{deployment.topic(SUBMITTED)}-0 stopped" in process.output()


async def test_a_group_without_offsets_starts_at_what_there_is(
    deployment: Deployment, remaining: Remaining
) -> None:
    anew = deployment.having(group_prefix=f"{deployment.settings.group_prefix}-anew")
    async with running(anew):
        await all_applied(anew, remaining.readable)
    await assert_tables_equal_oracle(anew, remaining.readable)
