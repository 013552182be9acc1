"""A migrated database that each test finds empty, and a local store with keys."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from repositories.database import Database
from service.reports.files.keys import Keyring
from service.reports.files.locations import open_store
from service.reports.files.store import FileStore
from tests.integration.repositories.database_state import clear
from tests.integration.repositories.migrated import migrated_database
from tests.integration.service.reports.making import MASTER_KEY, Bench


@pytest.fixture(scope="session")
def reports_url(_postgres18_server: str) -> Iterator[str]:
    with migrated_database(_postgres18_server) as url:
        yield url


@pytest.fixture
async def observer(reports_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A plain connection beside the service's own, over empty tables."""
    connection = await asyncpg.connect(reports_url)
    try:
        await clear(connection)
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def database(reports_url: str, observer: asyncpg.Connection) -> AsyncIterator[Database]:
    """The service's pool, over empty tables."""
    database = Database(reports_url, pool_size=8)
    yield database
    await database.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> FileStore:
    return open_store(str(folder))


@pytest.fixture
def bench(database: Database, store: FileStore) -> Bench:
    return Bench(database, store, Keyring.parse(MASTER_KEY))
