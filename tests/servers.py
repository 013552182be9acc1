"""Where the tests' Kafka and PostgreSQL come from.

The environment comes first (`CLAIM_ANALYTICS_TEST_KAFKA`, `CLAIM_ANALYTICS_TEST_DATABASE_URL`),
then Docker where an engine answers, then the project's own stack. `tests/conftest.py` makes
fixtures of what is here.
"""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from migrations import commands
from service.local.stack.kafka import KafkaBroker
from service.local.stack.postgres import PostgresServer
from service.local.stack.workspace import Workspace
from tests.containers import docker_answers, kafka_container, postgres_container

KAFKA_VARIABLE = "CLAIM_ANALYTICS_TEST_KAFKA"
DATABASE_VARIABLE = "CLAIM_ANALYTICS_TEST_DATABASE_URL"


def unique_topic(prefix: str = "test") -> str:
    """A topic name that no other test has: the broker is shared."""
    return f"{prefix}-{uuid4().hex[:12]}"


@contextmanager
def kafka_server() -> Iterator[str]:
    """Bootstrap servers of a broker that many tests share."""
    given = os.environ.get(KAFKA_VARIABLE)
    if given:
        yield given
    elif docker_answers():
        with kafka_container() as bootstrap_servers:
            yield bootstrap_servers
    else:
        with own_kafka() as broker:
            yield broker.bootstrap_servers


@contextmanager
def own_kafka() -> Iterator[KafkaBroker]:
    """A broker of the stack, for one test that wants to stop or kill it."""
    with Workspace() as workspace:
        broker = KafkaBroker(workspace)
        broker.start()
        yield broker
        broker.stop()


def given_postgres() -> str | None:
    """The URL from the environment, without a driver."""
    given = os.environ.get(DATABASE_VARIABLE)
    return given.replace("postgresql+asyncpg://", "postgresql://", 1) if given else None


@contextmanager
def postgres_server(version: int) -> Iterator[str]:
    """The URL of a superuser on a server that many tests share, each with its own database."""
    if docker_answers():
        with postgres_container(version) as url:
            yield _hurried(url)
    else:
        with own_postgres(version) as server:
            yield _hurried(server.url)


def _hurried(url: str) -> str:
    """Nobody kills the machine that a shared server runs on, so nothing need wait for its disk."""
    execute(url, "ALTER SYSTEM SET fsync = off")
    execute(url, "SELECT pg_reload_conf()")
    return url


@contextmanager
def own_postgres(version: int = 18) -> Iterator[PostgresServer]:
    """A server of the stack, for one test that wants to stop or kill it."""
    with Workspace() as workspace:
        server = PostgresServer(workspace, version)
        server.start()
        yield server
        server.stop()


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """The URL of an empty database, which is dropped at the end, whoever is still connected."""
    name = f"test_{uuid4().hex}"
    execute(server_url, f"CREATE DATABASE {name}")
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        execute(server_url, f"DROP DATABASE {name} WITH (FORCE)")


def migrate(url: str) -> None:
    """Put the schema into an empty database: as a copy of one that has it, which takes a third of
    the time of all the revisions."""
    place = urlsplit(url)
    name, server = place.path.removeprefix("/"), place._replace(path="/postgres").geturl()
    copied = _migrated(server)
    execute(server, f"DROP DATABASE {name} WITH (FORCE)")
    execute(server, f"CREATE DATABASE {name} TEMPLATE {copied}")


@cache
def _migrated(server_url: str) -> str:
    """The name of a database of this server that has the schema, and is copied alone."""
    name = f"migrated_{uuid4().hex}"
    execute(server_url, f"CREATE DATABASE {name}")
    url = urlsplit(server_url)._replace(path=f"/{name}").geturl()
    with ThreadPoolExecutor(max_workers=1) as thread:  # Alembic runs an event loop of its own
        thread.submit(commands.upgrade, url).result()
    return name


def execute(url: str, statement: str) -> None:
    """Run one statement outside a transaction, from a test that may have a running event loop."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, _execute(url, statement)).result()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
