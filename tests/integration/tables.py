"""Fixtures over `migrated_url`, which a package's own `conftest.py` defines; it imports these."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from repositories.postgres.database import Database
from tests.integration.repositories.database_state import clear


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
