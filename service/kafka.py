"""The service's own Kafka clients: topics, positions of groups, and publishing.

The one module of this floor that knows aiokafka; consuming is done in `consumers`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    for_code,
)

from consumers.kafka.cluster import Cluster, look_at_cluster
from consumers.kafka.connection import KafkaConnection
from consumers.kafka.faults import KafkaFault, KafkaUnreachable
from consumers.kafka.positions import offsets_by, partitions_of
from consumers.kafka.reach import reachable
from consumers.kafka.topics import forbidden_topics, missing_permission, missing_topic

Positions = dict[tuple[str, int], int]  # (topic, partition): offset of the next message
UNACKNOWLEDGED = 5_000  # messages that may be under way at once
NEW_TOPIC_SECONDS = 60  # a broker that has just started, on a busy machine, takes half a minute
NO_LIMIT = 2**31 - 1  # bytes of a request: the broker's own limit decides
GOODBYE_SECONDS = 5  # a producer with messages left would wait for a lost broker for ever


class KafkaFailed(Exception):
    """Kafka did not do what was asked; the message says what, and what to do."""


class MessageRefused(KafkaFailed):
    """The broker will never take this message; it is at fault, not the broker."""


@dataclass(frozen=True)
class TopicPlan:
    """A topic as it should be created."""

    name: str
    partitions: int
    replication: int
    configs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """A message to publish."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()


class KafkaAdmin:
    """Topics, and where groups stand in them."""

    def __init__(
        self, client: AIOKafkaAdminClient, reader: AIOKafkaConsumer, connection: KafkaConnection
    ) -> None:
        self._client = client
        self._reader = reader
        self._connection = connection

    async def look_at(self, topics: Collection[str], groups: Collection[str]) -> Cluster:
        """What there is of these, and what this user may do with it."""
        return await look_at_cluster(self._client, self._reader, self._connection, topics, groups)

    async def existing_topics(self) -> set[str]:
        return set(await self._client.list_topics())

    async def create(self, plan: TopicPlan) -> bool:
        """Create a topic; False if it is there already. Raises KafkaFailed."""
        return bool(await self.create_all([plan]))

    async def create_all(self, plans: Iterable[TopicPlan]) -> list[str]:
        """Create topics in one request, which takes as long as one of them; the names of those
        that were not there already. Raises KafkaFailed."""
        topics = [
            NewTopic(p.name, p.partitions, p.replication, topic_configs=dict(p.configs))
            for p in plans
        ]
        created = []
        for name, code, *_ in (await self._client.create_topics(topics)).topic_errors:
            error = for_code(code)
            if error.errno and error is not TopicAlreadyExistsError:
                raise KafkaFailed(
                    missing_permission(error(name))
                    or f"the broker did not create the topic {name}: {error.__name__}"
                )
            if not error.errno:
                created.append(name)
        return created

    async def topic_configs(self, topic: str) -> dict[str, str]:
        """The effective configuration of a topic. Raises KafkaFailed."""
        return (await self.configs_of_all([topic]))[topic]

    async def configs_of_all(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        """The effective configurations of topics, by their names. Raises KafkaFailed."""
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        deadline = time.monotonic() + NEW_TOPIC_SECONDS
        while True:
            answers = await self._client.describe_configs(resources)
            described = [resource for answer in answers for resource in answer.resources]
            faults = [(for_code(code), topic) for code, _, _, topic, _ in described if code]
            if not faults:
                return {
                    topic: {entry[0]: str(entry[1]) for entry in entries}
                    for _, _, _, topic, entries in described
                }
            new = all(error is UnknownTopicOrPartitionError for error, _ in faults)
            if not new or time.monotonic() > deadline:
                error, topic = faults[0]
                raise KafkaFailed(
                    missing_permission(error(topic))
                    or f"the broker does not describe the topic {topic}: {error.__name__}"
                )
            await asyncio.sleep(0.1)  # its brokers hear of a new topic a little later

    async def partition_counts(self, topics: Iterable[str]) -> dict[str, int]:
        """How many partitions each of these topics has."""
        described = await self._client.describe_topics(sorted(topics))
        return {topic["topic"]: len(topic["partitions"]) for topic in described}

    async def end_offsets(self, topics: Iterable[str]) -> Positions:
        """One past the last message that can be read, of every partition of `topics`."""
        return _positions(await self._reader.end_offsets(await self._partitions(topics)))

    async def first_offsets(self, topics: Iterable[str]) -> Positions:
        """The first offset that the broker still has, of every partition of `topics`."""
        return _positions(await self._reader.beginning_offsets(await self._partitions(topics)))

    async def offsets_at(self, topics: Iterable[str], at: datetime) -> Positions:
        """Of each partition the offset below which is what it held by `at`, by the timestamps."""
        return _positions(await offsets_by(self._reader, await self._partitions(topics), at))

    async def _partitions(self, topics: Iterable[str]) -> Sequence[TopicPartition]:
        """Raises KafkaFailed for a topic that is missing or not permitted."""
        try:
            return await partitions_of(self._client, self._reader, list(topics))
        except KafkaFault as fault:
            raise KafkaFailed(str(fault)) from None

    async def committed(self, group: str) -> Positions:
        """The next offsets that a group has committed."""
        offsets = await self._client.list_consumer_group_offsets(group)
        return _positions({tp: found.offset for tp, found in offsets.items() if found.offset >= 0})


def _positions(offsets: Mapping[TopicPartition, int]) -> Positions:
    return {(tp.topic, tp.partition): offset for tp, offset in offsets.items()}


async def ensure_admission(connection: KafkaConnection) -> None:
    """Raises KafkaFailed where no waiting helps, as with a wrong password; passes while Kafka is
    away."""
    try:
        await reachable(connection)
    except KafkaUnreachable as fault:
        if fault.permanent:
            raise KafkaFailed(str(fault)) from None


@asynccontextmanager
async def kafka_admin(connection: KafkaConnection) -> AsyncIterator[KafkaAdmin]:
    """An admin, closed at the end. Raises KafkaFailed if no broker answers."""
    with kafka_explained(connection):
        options = (await reachable(connection)).client_options()
        client = AIOKafkaAdminClient(**options)
        reader = AIOKafkaConsumer(**options, isolation_level="read_committed")
        try:
            await client.start()
            await reader.start()
            yield KafkaAdmin(client, reader, connection)
        finally:
            await client.close()
            await reader.stop()


class Publisher:
    """An idempotent producer with a bound on what is under way."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._pending: dict[asyncio.Future[Any], str] = {}  # to which topic

    async def send(self, message: Message) -> None:
        """Hand a message over; waits while too many are unacknowledged.

        Raises MessageRefused, or KafkaFailed. After an error the publisher is of no more use.
        """
        with _about(message.topic):
            future = await self._producer.send(
                message.topic,
                key=(message.key,),
                value=(message.value,),
                headers=list(message.headers),
            )
        # An error makes `flush` needless, and a future that nobody asks complains in the log.
        future.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._pending[future] = message.topic
        if len(self._pending) >= UNACKNOWLEDGED:
            await self.flush()

    async def flush(self) -> None:
        """Wait until the broker has acknowledged all that was sent; raises as `send`."""
        pending, self._pending = self._pending, {}
        await asyncio.gather(*pending, return_exceptions=True)
        for future, topic in pending.items():
            with _about(topic):
                future.result()


@asynccontextmanager
async def publisher(
    connection: KafkaConnection, *, large: bool = False
) -> AsyncIterator[Publisher]:
    """A publisher; at the end everything is acknowledged. Raises KafkaFailed.

    `large`: for messages of any size, compressed, as one that came so might not fit otherwise.
    """
    options = {"compression_type": "gzip", "max_request_size": NO_LIMIT} if large else {}
    with kafka_explained(connection):
        producer = AIOKafkaProducer(
            **(await reachable(connection)).client_options(),
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_batch_size=256 * 1024,
            key_serializer=_unboxed,
            value_serializer=_unboxed,
            **options,
        )
        try:
            await producer.start()
            publishing = Publisher(producer)
            yield publishing
            await publishing.flush()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await producer.stop()


def _unboxed(box: tuple[bytes | None]) -> bytes | None:
    """The client refuses a message with neither key nor value, which Kafka does not: see `send`."""
    return box[0]


@contextmanager
def _about(topic: str) -> Iterator[None]:
    """What is wrong with this topic alone, or with a message for it."""
    try:
        yield
    except (MessageSizeTooLargeError, RecordListTooLargeError):
        raise MessageRefused(
            f"a message is larger than the topic {topic} takes (max.message.bytes)"
        ) from None
    except TopicAuthorizationFailedError:
        raise KafkaFailed(forbidden_topics([topic])) from None
    except UnknownTopicOrPartitionError:
        raise KafkaFailed(missing_topic(topic)) from None
    except InvalidTopicError:
        raise KafkaFailed(
            f"{topic} is no name for a topic: look at the CLAIM_ANALYTICS_TOPIC_… settings"
        ) from None


@contextmanager
def kafka_explained(connection: KafkaConnection) -> Iterator[None]:
    """The client's errors become KafkaFailed."""
    try:
        yield
    except KafkaFault as fault:
        raise KafkaFailed(str(fault)) from None
    except KafkaError as error:
        if why := missing_permission(error):
            raise KafkaFailed(why) from None
        raise KafkaFailed(
            f"Kafka at {connection.bootstrap_servers} did not answer as expected"
            f" ({type(error).__name__}). Is it up, and is CLAIM_ANALYTICS_KAFKA_BOOTSTRAP_SERVERS"
            " right?"
        ) from None
