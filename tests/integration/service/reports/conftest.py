"""A migrated database that each test finds empty, and a local store with keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from repositories.database import Database
from service.reports.files.keys import Keyring
from service.reports.files.locations import open_store
from service.reports.files.store import FileStore
from tests.integration.repositories.migrated import migrated_database
from tests.integration.service.reports.making import MASTER_KEY, Bench
from tests.integration.tables import database, observer

__all__ = ["database", "observer"]


@pytest.fixture(scope="session")
def migrated_url(_postgres18_server: str) -> Iterator[str]:
    with migrated_database(_postgres18_server) as url:
        yield url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(folder: Path) -> FileStore:
    return open_store(str(folder))


@pytest.fixture
def bench(database: Database, store: FileStore) -> Bench:
    return Bench(database, store, Keyring.parse(MASTER_KEY))
