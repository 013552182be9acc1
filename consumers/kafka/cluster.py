"""What this user finds in the cluster: topics, what it may do with them, members of groups."""

from collections.abc import Collection
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumers.kafka.connection import KafkaConnection
from consumers.kafka.groups import group_state
from consumers.kafka.topics import (
    Permissions,
    Topics,
    missing_permission,
    permissions_of,
    topics_of,
)


@dataclass(frozen=True)
class Cluster:
    """`members` has how many there are of each group; `closed` why others may not be read as."""

    topics: Topics
    permissions: dict[str, Permissions]
    members: dict[str, int] = field(default_factory=dict)
    closed: dict[str, str] = field(default_factory=dict)


async def look_at_cluster(
    client: AIOKafkaAdminClient,
    consumer: AIOKafkaConsumer,
    connection: KafkaConnection,
    topics: Collection[str],
    groups: Collection[str],
) -> Cluster:
    """Asks over these two, and changes nothing. Raises KafkaUnreachable, or another KafkaError."""
    found = await topics_of(consumer, connection, topics)
    cluster = Cluster(found, await permissions_of(consumer, found.present))
    for group in groups:
        try:
            cluster.members[group] = len((await group_state(client, group)).members)
        except KafkaError as error:
            why = missing_permission(type(error)(group))  # the client's own text is another
            if why is None:
                raise
            cluster.closed[group] = why
    return cluster
