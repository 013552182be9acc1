"""A migrated database for whoever only looks, and fresh ones for whoever migrates."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from tests.integration.repositories.migrated import migrated_database, upgrade


@pytest.fixture(scope="session", params=[18, 16], ids=["postgres18", "postgres16"])
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with the schema in it, one per version for all tests here."""
    server: str = request.getfixturevalue(f"_postgres{request.param}_server")
    with migrated_database(server) as url:
        yield url


@pytest.fixture
async def schema(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to look at the schema, which no test here changes."""
    connection = await asyncpg.connect(migrated_url)
    yield connection
    await connection.close()


@pytest.fixture
def fresh_url(any_postgres: str) -> str:
    """The URL of a database with the schema in it, for one test."""
    upgrade(any_postgres)
    return any_postgres


@pytest.fixture
async def connection(any_postgres: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the database of `any_postgres` and `fresh_url`."""
    connection = await asyncpg.connect(any_postgres)
    yield connection
    await connection.close()


@pytest.fixture
async def undone(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection, in a transaction that leaves nothing behind."""
    connection = await asyncpg.connect(migrated_url)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()
