"""Reading topics again, with a real Kafka and a real PostgreSQL."""

from tests.harness.deployment import Deployment
from tests.harness.kafka import dead_letters, publish
from tests.harness.messages import nonsense, simulated
from tests.harness.rows import assert_tables_equal_oracle, connected
from tests.integration.service.operations.replaying import all_rows, consumed, replayed


async def test_what_is_known_changes_nothing_and_what_is_lacking_is_applied(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 400)
    await publish(deployment, [*load.messages, *nonsense(deployment, 3)])
    await consumed(deployment)
    letters = len(await dead_letters(deployment))
    before = await all_rows(deployment)
    tally = await replayed(deployment)
    assert await all_rows(deployment) == before
    assert tally.left == 0
    assert tally.total("read") == 403
    assert tally.total("already_applied") == 400
    assert [each.reason for each in tally.dead] == ["not-cloudevent"] * 3
    assert len(await dead_letters(deployment)) == letters
    await _lose_every_third_claim(deployment)
    forecast = await replayed(deployment, dry_run=True)
    tally = await replayed(deployment)
    assert tally.total("new") > 50
    assert forecast.topics == tally.topics
    await assert_tables_equal_oracle(deployment, load.events)
    assert (await replayed(deployment)).total("new") == 0


async def _lose_every_third_claim(deployment: Deployment) -> None:
    """Whole providers' rows, so that claims and figures agree all the same."""
    async with connected(deployment) as connection:
        rows = await connection.fetch("SELECT provider_id FROM providers ORDER BY 1")
        lost = [row["provider_id"] for row in rows[::3]]
        for table in ("claim_events", "claims", "analytics_cache", "lists_due", "providers"):
            await connection.execute(f"DELETE FROM {table} WHERE provider_id = ANY ($1)", lost)
