"""A migrated database that each test finds empty, and a local store with keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from repositories.postgres.database import Database
from service.reports.files.keys import Keyring
from service.reports.files.locations import open_store
from service.reports.files.store import FileStore
from service.settings import PREFIX
from tests.integration.repositories.migrated import migrated_database
from tests.integration.service.command_line import Finished, claim_analytics
from tests.integration.service.reports.making import MASTER_KEY, Bench, Said
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


@pytest.fixture
def environment(migrated_url: str, folder: Path) -> dict[str, str]:
    return {
        f"{PREFIX}DATABASE_URL": migrated_url,
        f"{PREFIX}REPORT_STORAGE_URL": str(folder),
        f"{PREFIX}REPORT_MASTER_KEYS": MASTER_KEY,
    }


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Said:
    def run(*arguments: str, said: str = "", **settings: str) -> Finished:
        given = environment | {PREFIX + name.upper(): text for name, text in settings.items()}
        return claim_analytics(tmp_path, *arguments, environment=given, said=said)

    return run
