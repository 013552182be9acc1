"""The service's own Kafka clients: topics, positions of groups, and publishing.

The one module of this floor that knows aiokafka; consuming is done in `consumers`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from consumers.connection import KafkaConnection

Positions = dict[tuple[str, int], int]  # (topic, partition): offset of the next message
UNACKNOWLEDGED = 5_000  # messages that may be under way at once
GOODBYE_SECONDS = 5  # a producer with messages left would wait for a lost broker for ever


class KafkaFailed(Exception):
    """Kafka did not do what was asked; the message says what, and what to do."""


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

    def __init__(self, client: AIOKafkaAdminClient, reader: AIOKafkaConsumer) -> None:
        self._client = client
        self._reader = reader

    async def existing_topics(self) -> set[str]:
        return set(await self._client.list_topics())

    async def create(self, plan: TopicPlan) -> bool:
        """Create a topic; False if it is there already. Raises KafkaFailed."""
        topic = NewTopic(
            plan.name, plan.partitions, plan.replication, topic_configs=dict(plan.configs)
        )
        answer = await self._client.create_topics([topic])
        error = for_code(answer.topic_errors[0][1])
        if error is TopicAlreadyExistsError:
            return False
        if error.errno:
            raise KafkaFailed(f"the broker did not create the topic {plan.name}: {error.__name__}")
        return True

    async def topic_config(self, topic: str, name: str) -> str | None:
        """The effective value of a topic's configuration."""
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        for answer in await self._client.describe_configs([resource]):
            for entry in answer.resources[0][4]:
                if entry[0] == name:
                    return str(entry[1])
        return None

    async def end_offsets(self, topics: Iterable[str]) -> Positions:
        """One past the last message that can be read, of every partition of `topics`."""
        partitions = []
        for topic in topics:
            described = (await self._client.describe_topics([topic]))[0]
            if described["error_code"]:
                raise KafkaFailed(
                    f"there is no topic {topic}: run `claim-analytics topics` to create what is"
                    " missing"
                )
            partitions += [TopicPartition(topic, p["partition"]) for p in described["partitions"]]
        ends = await self._reader.end_offsets(partitions)
        return {(tp.topic, tp.partition): offset for tp, offset in ends.items()}

    async def committed(self, group: str) -> Positions:
        """The next offsets that a group has committed."""
        offsets = await self._client.list_consumer_group_offsets(group)
        return {
            (tp.topic, tp.partition): found.offset
            for tp, found in offsets.items()
            if found.offset >= 0
        }


@asynccontextmanager
async def kafka_admin(connection: KafkaConnection) -> AsyncIterator[KafkaAdmin]:
    """An admin, closed at the end. Raises KafkaFailed if no broker answers."""
    options = connection.client_options()
    client = AIOKafkaAdminClient(**options)
    reader = AIOKafkaConsumer(**options, isolation_level="read_committed")
    with _explained(connection):
        try:
            await client.start()
            await reader.start()
            yield KafkaAdmin(client, reader)
        finally:
            await client.close()
            await reader.stop()


class Publisher:
    """An idempotent producer with a bound on what is under way."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._pending: set[asyncio.Future[Any]] = set()

    async def send(self, message: Message) -> None:
        """Hand a message over; waits while too many are unacknowledged."""
        future = await self._producer.send(
            message.topic,
            key=(message.key,),
            value=(message.value,),
            headers=list(message.headers),
        )
        self._pending.add(future)
        if len(self._pending) >= UNACKNOWLEDGED:
            await self.flush()

    async def flush(self) -> None:
        """Wait until the broker has acknowledged all that was sent."""
        pending, self._pending = self._pending, set()
        await asyncio.gather(*pending)


@asynccontextmanager
async def publisher(connection: KafkaConnection) -> AsyncIterator[Publisher]:
    """A publisher; at the end everything is acknowledged. Raises KafkaFailed."""
    producer = AIOKafkaProducer(
        **connection.client_options(),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=256 * 1024,
        key_serializer=_unboxed,
        value_serializer=_unboxed,
    )
    with _explained(connection):
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
def _explained(connection: KafkaConnection) -> Iterator[None]:
    try:
        yield
    except KafkaError as error:
        raise KafkaFailed(
            f"Kafka at {connection.bootstrap_servers} did not answer as expected"
            f" ({type(error).__name__}). Is it up, and is CLAIM_ANALYTICS_KAFKA_BOOTSTRAP_SERVERS"
            " right?"
        ) from None
