"""Reading topics again, with a real Kafka and a real PostgreSQL."""

from uuid import UUID

from consumers.topics.claims import CLAIMS
from service.kafka import TopicPlan, kafka_admin
from service.wiring import kafka_connection
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.faults import Fault
from tests.harness.kafka import dead_letters, producer, publish
from tests.harness.messages import message, nonsense, simulated
from tests.harness.rows import assert_tables_equal_oracle, connected
from tests.integration.repositories.examples import paid
from tests.integration.service.operations.replaying import all_rows, consumed, replayed
from tests.strategies import to_plain


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
    provider = UUID(load.events[0]["data"]["provider_id"])
    own = await replayed(deployment, provider=provider)
    assert (own.total("new"), own.total("read")) == (0, 403)
    assert own.total("already_applied") == sum(
        event["data"]["provider_id"] == str(provider) for event in load.events
    )


async def test_times_of_the_publisher_are_in_no_order(deployment: Deployment) -> None:
    """Each record's own time decides, whatever stands before it."""
    topic = f"{deployment.topic(PAID)}-of-a-publisher"
    deployment = deployment.having(topic_claim_paid=topic)
    async with kafka_admin(kafka_connection(deployment.settings)) as admin:
        await admin.create(TopicPlan(topic, 1, 1, {"message.timestamp.type": "CreateTime"}))
    events = [paid(version=version) for version in range(1, 6)]
    begin = 1_700_000_000_000
    async with producer(deployment) as client:
        for event, after in zip(events, (0, 300, 100, 400, 200), strict=True):
            sent = message(deployment, event)
            await client.send_and_wait(
                topic, key=(sent.key,), value=(sent.value,), headers=list(sent.headers),
                timestamp_ms=begin + after,
            )  # fmt: skip
    tally = await replayed(deployment, topic, begin=begin + 100, end=begin + 300)
    assert tally.whose_times(topic) == "the publisher"
    assert tally.total("new") == tally.total("read") == 2
    await assert_tables_equal_oracle(deployment, [to_plain(events[2]), to_plain(events[4])])


async def _lose_every_third_claim(deployment: Deployment) -> None:
    """Whole providers' rows, so that claims and figures agree all the same."""
    async with connected(deployment) as connection:
        rows = await connection.fetch("SELECT provider_id FROM providers ORDER BY 1")
        lost = [row["provider_id"] for row in rows[::3]]
        for table in ("claim_events", "claims", "analytics_cache", "lists_due", "providers"):
            await connection.execute(f"DELETE FROM {table} WHERE provider_id = ANY ($1)", lost)


async def test_letters_of_a_mended_fault_are_resolved_by_the_replay_that_applies_them(
    deployment: Deployment,
) -> None:
    """And those of messages that are dead still stay open."""
    load = simulated(deployment, 60)
    await publish(deployment, [*load.messages, *nonsense(deployment, 2)])
    fault = Fault([SUBMITTED])
    await consumed(deployment, subscription=fault.subscription(CLAIMS))
    dead = await _letters(deployment, "open")
    assert dead > 20
    forecast = await replayed(deployment, redecode=True, dry_run=True)
    assert await _letters(deployment, "open") == dead
    redecoded = await replayed(deployment, redecode=True)
    assert redecoded.topics == forecast.topics
    assert redecoded.total("new") > 20
    assert (await _letters(deployment, "open"), await _letters(deployment, "resolved")) == (
        2,
        dead - 2,
    )
    await assert_tables_equal_oracle(deployment, load.events)


async def _letters(deployment: Deployment, state: str) -> int:
    async with connected(deployment) as connection:
        counted = "SELECT count(*) FROM dead_letters WHERE state = $1"
        return int(await connection.fetchval(counted, state))
