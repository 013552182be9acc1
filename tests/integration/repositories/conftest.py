"""One migrated database per version for all tests here; each test finds it empty."""

from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from repositories.database import Database
from tests.integration.repositories.database_state import clear
from tests.integration.repositories.migrated import migrated_database


@pytest.fixture(scope="session", params=[18, 16], ids=["postgres18", "postgres16"])
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with the schema in it; its rows are whatever the last test left."""
    server: str = request.getfixturevalue(f"_postgres{request.param}_server")
    with migrated_database(server) as url:
        yield url


@pytest.fixture
async def observer(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection beside the service's own, over empty tables."""
    connection = await asyncpg.connect(migrated_url)
    try:
        await clear(connection)
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def database(migrated_url: str, observer: asyncpg.Connection) -> AsyncIterator[Database]:
    """The service's pool, over empty tables."""
    database = Database(migrated_url, pool_size=8)
    yield database
    await database.close()
