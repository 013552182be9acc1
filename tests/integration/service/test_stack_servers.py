"""Kafka and PostgreSQL of the stack are real, durable, and come back where they were."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from service.local.stack.kafka import KafkaBroker
from service.local.stack.postgres import REMEDIES, PostgresServer, is_installed
from tests import servers as sources
from tests.servers import unique_topic

BUSY = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'"
WAYS_TO_END = pytest.mark.parametrize("way", ["stop", "kill"])


@pytest.fixture(scope="module", params=[18, 16])
def stack_postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server of the stack, also where other tests use Docker."""
    if not is_installed(request.param):
        # The package of 16 is optional: there is none for every Python and machine.
        pytest.skip(f"PostgreSQL {request.param} is not installed: {REMEDIES[request.param]}")
    with sources.own_postgres(request.param) as server:
        yield server.url


async def query(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@WAYS_TO_END
async def test_postgres_keeps_its_port_and_what_was_committed(
    own_postgres: PostgresServer, way: str
) -> None:
    url = own_postgres.url
    await query(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    getattr(own_postgres, way)()
    with pytest.raises(ConnectionRefusedError):
        await query(url, "SELECT 1")
    own_postgres.start()
    assert own_postgres.url == url
    assert await query(url, "SELECT answer FROM kept") == 42


async def test_killing_postgres_ends_what_it_is_doing(own_postgres: PostgresServer) -> None:
    connection = await asyncpg.connect(own_postgres.url)
    working = asyncio.create_task(connection.execute("SELECT pg_sleep(600)"))
    await connection_is_busy(own_postgres.url)
    own_postgres.kill()
    with pytest.raises((asyncpg.PostgresConnectionError, ConnectionError)):
        await asyncio.wait_for(working, timeout=10)
    connection.terminate()


async def connection_is_busy(url: str) -> None:
    async with asyncio.timeout(10):
        while not await query(url, BUSY):  # noqa: ASYNC110  # PostgreSQL sends no event
            await asyncio.sleep(0.02)  # a poll


def test_nothing_is_left_in_shared_memory_of_a_server_that_was_killed(
    own_postgres: PostgresServer,
) -> None:
    [state_file] = own_postgres.folder.glob("**/postmaster.pid")
    segment = state_file.read_text().splitlines()[6].split()[1]
    own_postgres.kill()
    assert segment in shared_memory_segments()
    own_postgres.stop()
    assert segment not in shared_memory_segments()


def shared_memory_segments() -> list[str]:
    """The ids of all System V segments of this machine."""
    table = Path("/proc/sysvipc/shm")
    if not table.exists():
        # Elsewhere nothing was looked at, and a pass would say that it was.
        pytest.skip("only Linux lists them in a file")
    return [line.split()[1] for line in table.read_text().splitlines()]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("TimeZone", "UTC"),
        ("server_encoding", "UTF8"),
        ("listen_addresses", "127.0.0.1"),
    ],
)
async def test_a_setting_is_what_the_service_relies_on(
    stack_postgres_url: str, setting: str, value: str
) -> None:
    assert await query(stack_postgres_url, f"SHOW {setting}") == value


async def test_nobody_gets_in_without_the_password(stack_postgres_url: str) -> None:
    password = urlsplit(stack_postgres_url).password or "none"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await query(stack_postgres_url.replace(password, "guessed"), "SELECT 1")


@WAYS_TO_END
async def test_kafka_keeps_its_port_and_what_was_acknowledged(
    own_kafka: KafkaBroker, way: str
) -> None:
    topic = unique_topic()
    servers = own_kafka.bootstrap_servers
    await create_topic(servers, topic)
    await produce(servers, topic, b"kept")
    getattr(own_kafka, way)()
    own_kafka.start()
    assert own_kafka.bootstrap_servers == servers
    assert await consume_one(servers, topic) == b"kept"


async def test_a_topic_can_be_created_as_soon_as_kafka_has_started(own_kafka: KafkaBroker) -> None:
    topic = unique_topic()
    await create_topic(own_kafka.bootstrap_servers, topic)
    await produce(own_kafka.bootstrap_servers, topic, b"first")
    assert await consume_one(own_kafka.bootstrap_servers, topic) == b"first"


async def create_topic(servers: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    await admin.close()


async def produce(servers: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=servers, enable_idempotence=True)
    await producer.start()
    await producer.send_and_wait(topic, value)
    await producer.stop()


async def consume_one(servers: str, topic: str) -> object:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), timeout=30)
    finally:
        await consumer.stop()
    return record.value
