"""What this user finds in the cluster: topics, what it may do with them, members of groups."""

import asyncio
import time
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, for_code

from consumers.kafka.connection import KafkaConnection, start
from consumers.kafka.reach import reachable
from consumers.kafka.topics import (
    Permissions,
    Topics,
    missing_permission,
    permissions_of,
    topics_of,
)

COORDINATOR_SECONDS = 5.0


@dataclass(frozen=True)
class Cluster:
    """`members` has how many there are of each group; `closed` why others may not be read as."""

    topics: Topics
    permissions: dict[str, Permissions]
    members: dict[str, int] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)


async def look_at_cluster(
    connection: KafkaConnection, topics: Collection[str], groups: Collection[str]
) -> Cluster:
    """Asks, and changes nothing. Raises KafkaUnreachable, or another KafkaError."""
    options = (await reachable(connection)).client_options()
    async with AsyncExitStack() as stack:
        consumer, admin = AIOKafkaConsumer(**options), AIOKafkaAdminClient(**options)
        stack.push_async_callback(consumer.stop)
        stack.push_async_callback(admin.close)
        await start(consumer)
        await start(admin)
        found = await topics_of(consumer, connection, topics)
        cluster = Cluster(found, await permissions_of(consumer, found.present))
        for group in groups:
            try:
                cluster.members[group] = await _members(admin, group)
            except KafkaError as error:
                why = missing_permission(type(error)(group))  # the client's own text is another
                if why is None:
                    raise
                cluster.closed[group] = why
        return cluster


async def _members(admin: AIOKafkaAdminClient, group: str) -> int:
    """Raises KafkaError. A broker that has not seen any group yet makes its topic of them first."""
    deadline = time.monotonic() + COORDINATOR_SECONDS
    while True:
        try:
            described = (await admin.describe_consumer_groups([group]))[0].groups[0]
            error = for_code(described[0])
            if error.errno:
                raise error(group)
            return len(described[5])
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)
