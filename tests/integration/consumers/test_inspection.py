"""Looking at partitions and groups from outside."""

from consumers.kafka.inspection import inspection
from service.kafka import Message
from service.wiring import kafka_connection
from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.kafka import commit, committed, publish
from tests.harness.process import consuming
from tests.harness.waiting import until


async def test_what_cannot_be_decoded_is_passed_with_the_rest_of_its_record_batch(
    deployment: Deployment,
) -> None:
    topic = deployment.topic(SUBMITTED)
    good = Message(topic, b"key", b"value", ())
    await produce(deployment, 0, [good] * 3)
    await produce(deployment, 0, [good, with_undecodable_header(good), *[good] * 7])
    await produce(deployment, 0, [good] * 4)
    await produce(deployment, 0, [with_undecodable_header(good), *[good] * 2])
    place, end = (topic, 0), 19
    async with inspection(kafka_connection(deployment.settings)) as looking:
        stop = await looking.stop_at(place, 4)
        assert stop is not None
        assert stop.why.startswith(f"{topic}-0 stopped at offset 4: the client cannot decode")
        assert await looking.stop_at(place, 3) is None
        assert await looking.next_readable(place, 3, end) == 3
        assert await looking.next_readable(place, 4, end) == 12
        assert await looking.next_readable(place, 16, end) == end  # nothing that can be read
        times = await looking.timestamps({place: (4, end), (topic, 1): (0, 0)})
        assert times.keys() == {place}


async def test_the_offset_of_a_group_that_has_members_is_left_to_them(
    deployment: Deployment,
) -> None:
    topic = deployment.topic(PAID)
    await publish(deployment, [Message(topic, b"key", b"value", ())] * 3)
    await commit(deployment, deployment.group, {(topic, 0): 1})
    async with inspection(kafka_connection(deployment.settings)) as looking:
        assert (await looking.group(deployment.group)).members == []
        assert await looking.commit_for(deployment.group, (topic, 0), 2)
        assert (await committed(deployment, deployment.group))[topic, 0] == 2
        async with consuming(deployment) as service:
            progress = service.progress["claims"]
            await until(lambda: (topic, 0) in progress.committed, "a member")
            state = await looking.group(deployment.group)
            assert state.holders.keys() >= {(topic, n) for n in range(3)}
            assert state.holders[topic, 0] in state.members
            assert not await looking.commit_for(deployment.group, (topic, 0), 0)
