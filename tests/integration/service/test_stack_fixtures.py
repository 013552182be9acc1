"""The fixtures that other tests stand on."""

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from service.local.stack import StackError
from tests import conftest, servers


async def fetch(url: str, statement: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [str(row[0]) for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def tables(url: str) -> list[str]:
    return await fetch(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


async def test_a_database_is_empty_and_belongs_to_one_test(postgres18: str) -> None:
    servers.execute(postgres18, "CREATE TABLE mine ()")
    with servers.fresh_database(postgres18) as other:
        assert await tables(other) == []
    assert await tables(postgres18) == ["mine"]


async def test_a_database_is_dropped_though_someone_is_connected(postgres: str) -> None:
    with servers.fresh_database(postgres) as url:
        connection = await asyncpg.connect(url)
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(url)
    connection.terminate()


async def test_the_fixtures_give_the_versions_they_are_named_for(
    postgres18: str, postgres16: str
) -> None:
    [newest] = await fetch(postgres18, "SHOW server_version")
    [oldest] = await fetch(postgres16, "SHOW server_version")
    assert (newest.split(".")[0], oldest.split(".")[0]) == ("18", "16")


async def test_any_postgres_gives_an_empty_database(any_postgres: str) -> None:
    assert await tables(any_postgres) == []


async def test_the_shared_kafka_answers(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    assert servers.unique_topic() not in await admin.list_topics()
    await admin.close()


def test_the_environment_decides_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(servers.KAFKA_VARIABLE, "elsewhere:9092")
    monkeypatch.setenv(servers.DATABASE_VARIABLE, "postgresql+asyncpg://me@elsewhere/db")
    with servers.kafka_server() as bootstrap_servers:
        assert bootstrap_servers == "elsewhere:9092"
    assert servers.given_postgres() == "postgresql://me@elsewhere/db"


def test_without_docker_and_java_a_fixture_fails_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(servers.KAFKA_VARIABLE, raising=False)
    monkeypatch.setattr(servers, "docker_answers", lambda: False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    broker = conftest.or_fail(servers.kafka_server(), conftest.NO_DOCKER)
    with pytest.raises(pytest.fail.Exception, match=r"No Docker engine answers.*Java 17"):
        broker.__enter__()
    with pytest.raises(StackError, match="Java 17"):
        servers.own_kafka().__enter__()
