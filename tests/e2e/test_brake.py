"""A flood of bad messages."""

from collections import Counter

from consumers.topics.claims import CLAIMS
from tests.e2e.letters import assert_dead_lettered_once, place_of, sent
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import committed, dead_letters, producer, publish, send
from tests.harness.messages import nonsense, simulated
from tests.harness.process import DRAIN, RUN, ServiceProcess, command
from tests.harness.rows import all_applied, assert_tables_equal_oracle


async def test_a_flood_stops_its_topic_and_goes_through_when_told_to(
    deployment: Deployment,
) -> None:
    cautious = deployment.having(brake_run=100)
    few, flood = nonsense(deployment, 50), nonsense(deployment, 300)
    paid = simulated(deployment, 600).of(deployment.topic(PAID))
    with ServiceProcess(cautious, *RUN) as process:
        async with producer(deployment) as client:
            places = sent(few, await send(client, few, partition=0))
            await process.logged("batch applied")
            places += sent(flood, await send(client, flood, partition=0))
        [stopped, *_] = await process.logged(f"{deployment.topic(SUBMITTED)} stopped")
        assert stopped["level"] == "error"
        await publish(deployment, paid.messages)
        await all_applied(deployment, paid.events)
        process.terminate()
        assert await process.ended() == 4
        assert "100 messages in a row could not be used" in process.output()
        assert "CLAIM_ANALYTICS_BRAKE_RATIO=1" in process.output()
        assert "Traceback" not in process.output()
    position = (await committed(deployment, deployment.group))[(deployment.topic(SUBMITTED), 0)]
    assert len(await dead_letters(deployment)) == position < 100
    await command(cautious.having(brake_run=0, brake_ratio=1), *DRAIN)
    await assert_dead_lettered_once(deployment, places)
    await assert_tables_equal_oracle(deployment, paid.events)


async def test_with_every_topic_stopped_the_process_ends_by_itself(deployment: Deployment) -> None:
    cautious = deployment.having(brake_run=100)
    with ServiceProcess(cautious, *RUN) as process:
        async with producer(deployment) as client:
            for name in CLAIMS.decoders:
                await send(client, nonsense(deployment, 300, name), partition=0)
        assert await process.ended() == 4
        assert "Traceback" not in process.output()
    # A batch may come before the brake has seen enough; what is behind it is dead-lettered then.
    positions = await committed(deployment, deployment.group)
    letters = Counter(place_of(letter)[:2] for letter in await dead_letters(deployment))
    for name in CLAIMS.decoders:
        at = (deployment.topic(name), 0)
        assert letters[at] == positions.get(at, 0) < 100
