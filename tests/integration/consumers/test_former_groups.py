"""What the groups of before, one a topic, have committed and stored."""

from aiokafka import TopicPartition

from consumers.engine.offsets import FormerGroups
from repositories.claims.batch import apply_claim_batch
from repositories.offsets import NextOffset
from service.wiring import kafka_connection, open_database
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import commit


async def test_each_partition_has_what_its_topics_own_group_left(deployment: Deployment) -> None:
    one, other = deployment.topic(SUBMITTED), deployment.topic(PAID)
    groups = {one: f"{deployment.group}-one", other: f"{deployment.group}-other"}
    await commit(deployment, groups[one], {(one, 0): 5, (one, 1): 6, (other, 0): 1})
    await commit(deployment, groups[other], {(other, 1): 8})
    stored = [
        NextOffset(groups[one], one, 1, 4),
        NextOffset(groups[one], one, 2, 0),
        NextOffset(groups[other], other, 1, 9),
        NextOffset(groups[other], one, 0, 1),
    ]
    partitions = [TopicPartition(topic, n) for topic in (one, other) for n in range(3)]
    async with open_database(deployment.settings) as database:
        await apply_claim_batch(database, [], stored)
        former = FormerGroups(kafka_connection(deployment.settings), groups)
        found = await former.offsets(database, partitions)
    assert [found[at] for at in partitions] == [
        *((5, None), (6, 4), (None, 0)),
        *((None, None), (8, 9), (None, None)),
    ]


async def test_groups_that_never_were_have_nothing(deployment: Deployment) -> None:
    topic = deployment.topic(SUBMITTED)
    former = FormerGroups(
        kafka_connection(deployment.settings), {topic: f"{deployment.group}-never"}
    )
    async with open_database(deployment.settings) as database:
        at = TopicPartition(topic, 0)
        assert await former.offsets(database, [at]) == {at: (None, None)}
