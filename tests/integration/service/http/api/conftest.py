"""The application on a real port, over a real database and store, and an issuer of tokens."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from repositories.postgres.database import Database
from service.reports.files.keys import Keyring
from service.reports.files.locations import open_store
from service.settings import Settings
from tests.harness.http import http_client
from tests.harness.issuer import AUDIENCE, ISSUER, Issuer
from tests.integration.service.reports.making import MASTER_KEY, Bench

NOWHERE = "127.0.0.1:1"  # nothing listens there


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def api_settings(migrated_url: str, tmp_path: Path, issuer: Issuer) -> Settings:
    return Settings.model_validate(
        {
            "database_url": migrated_url,
            "kafka_bootstrap_servers": NOWHERE,
            "report_storage_url": str(tmp_path / "store"),
            "report_master_keys": MASTER_KEY,
            "api_issuer": ISSUER,
            "api_audience": AUDIENCE,
            "api_jwks": str(issuer.publish(tmp_path / "jwks.json")),
        }
    )


@pytest.fixture
async def client(api_settings: Settings, database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Of a service over empty tables."""
    async with http_client(api_settings) as client:
        yield client


@pytest.fixture
def bench(database: Database, tmp_path: Path) -> Bench:
    """What makes reports, in the same store."""
    return Bench(database, open_store(str(tmp_path / "store")), Keyring.parse(MASTER_KEY))
