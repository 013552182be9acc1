"""The first start after each claim topic had a consumer group of its own."""

from uuid import UUID

from consumers.topics.claims import CLAIMS
from tests.harness.deployment import Deployment
from tests.harness.kafka import commit, committed, dead_letters, publish
from tests.harness.messages import nonsense, simulated
from tests.harness.process import DRAIN, ServiceProcess, command
from tests.harness.rows import Positions, assert_tables_equal_oracle, connected, stored_offsets
from tests.oracle import PlainEvent


async def test_it_goes_on_where_the_former_groups_stood(deployment: Deployment) -> None:
    """So no dead letter is sent a second time, and nothing that was erased comes back."""
    before, after = simulated(deployment, 800).split(2)
    await publish(deployment, [*before.messages, *nonsense(deployment, 20)])
    await command(deployment, *DRAIN)
    provider = _provider(before.events[0])
    erase = ("erase", "provider", str(provider), "--why", "asked for", "--yes")
    await command(deployment, *erase)
    pairs = zip(after.messages, after.events, strict=True)
    others = [message for message, event in pairs if _provider(event) != provider]
    upgraded, _ = await _left_by_former_groups(deployment, behind=0)
    await publish(upgraded, others)
    with ServiceProcess(upgraded, *DRAIN) as process:
        assert await process.ended() == 0
        assert process.count("messages") == len(others)
    assert len(await dead_letters(upgraded)) == 20
    async with connected(upgraded) as connection:
        of_the_erased = "SELECT count(*) FROM claim_events WHERE provider_id = $1"
        assert await connection.fetchval(of_the_erased, provider) == 0
    positions = await committed(upgraded, upgraded.group)
    assert positions == await stored_offsets(upgraded, upgraded.group)


async def test_of_the_two_offsets_of_a_former_group_the_lower_counts(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 600)
    await publish(deployment, load.messages)
    await command(deployment, *DRAIN)
    upgraded, positions = await _left_by_former_groups(deployment, behind=10)
    with ServiceProcess(upgraded, *DRAIN) as process:
        assert await process.ended() == 0
        assert process.count("duplicate") == sum(min(10, end) for end in positions.values())
    await assert_tables_equal_oracle(upgraded, load.events)


async def test_once_the_new_group_has_offsets_the_former_are_not_asked(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 300)
    await publish(deployment, load.messages)
    await command(deployment, *DRAIN)
    upgraded, positions = await _left_by_former_groups(deployment, behind=0)
    await command(upgraded, *DRAIN)
    for name in CLAIMS.decoders:
        own = [at for at in positions if at[0] == upgraded.topic(name)]
        await commit(upgraded, upgraded.settings.group(name), dict.fromkeys(own, 0))
    with ServiceProcess(upgraded, *DRAIN) as process:
        assert await process.ended() == 0
        assert process.count("messages") == 0


def _provider(event: PlainEvent) -> UUID:
    return UUID(str(event["data"]["provider_id"]))


async def _left_by_former_groups(
    deployment: Deployment, behind: int
) -> tuple[Deployment, Positions]:
    """What was consumed, as if by groups of another prefix, one for each topic; Kafka's offsets
    are so many messages behind the database's."""
    upgraded = deployment.having(group_prefix=f"{deployment.settings.group_prefix}-upgraded")
    positions = await committed(deployment, deployment.group)
    async with connected(deployment) as connection:
        for name in CLAIMS.decoders:
            topic, group = deployment.topic(name), upgraded.settings.group(name)
            own = {at: max(0, end - behind) for at, end in positions.items() if at[0] == topic}
            await commit(deployment, group, own)
            await connection.execute(
                "UPDATE consumer_offsets SET consumer_group = $1 WHERE topic = $2", group, topic
            )
    return upgraded, positions
