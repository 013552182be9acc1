"""Consumer groups as Kafka describes them, to one who is no member."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import KafkaError, for_code

COORDINATOR_SECONDS = 5.0
Place = tuple[str, int]  # topic, partition


@dataclass(frozen=True)
class Member:
    """A member of a consumer group, by what it calls itself and where it connects from."""

    client_id: str
    host: str


@dataclass(frozen=True)
class GroupState:
    """A group in Kafka's words, such as `Stable`; who has which partition."""

    state: str
    members: Sequence[Member]
    holders: Mapping[Place, Member]


async def group_state(admin: AIOKafkaAdminClient, name: str) -> GroupState:
    """Raises KafkaError. A broker that has not seen any group yet makes its topic of them first."""
    deadline = time.monotonic() + COORDINATOR_SECONDS
    while True:
        try:
            return await _described(admin, name)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)  # a poll: nothing tells when it is ready


async def _described(admin: AIOKafkaAdminClient, name: str) -> GroupState:
    answer = (await admin.describe_consumer_groups([name]))[0].groups[0]
    code, _, state, _, _, described, *_ = answer
    if code:
        raise for_code(code)(name)
    holders: dict[Place, Member] = {}
    members = []
    for _, client_id, host, _, assignment in described:
        members.append(member := Member(client_id, host.removeprefix("/")))
        if assignment:  # none during a rebalance
            for at in ConsumerProtocol.ASSIGNMENT.decode(assignment).partitions():
                holders[at.topic, at.partition] = member
    return GroupState(state, members, holders)
