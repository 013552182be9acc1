"""Fixtures of the tests in this package: servers that a module's tests share, and may stop."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from repositories.postgres.database import Database
from service.local.stack.kafka import KafkaBroker
from service.local.stack.postgres import PostgresServer
from tests import servers
from tests.conftest import OWN, or_fail
from tests.harness.deployment import Deployment
from tests.harness.fixtures import deployment
from tests.harness.losing import remaining
from tests.harness.reports import QUICK, deploy_reports
from tests.integration.repositories.examples import apply, paid

__all__ = ["deployment", "remaining"]

# A member that is killed is soon missed, and one worker is enough for one report.
RESTLESS = {"group_session_seconds": 1, "report_workers": 1, **QUICK}


@pytest.fixture(scope="module")
def _broker() -> Iterator[KafkaBroker]:
    with or_fail(servers.own_kafka(), OWN) as broker:
        yield broker


@pytest.fixture(scope="module")
def _database_server() -> Iterator[PostgresServer]:
    with or_fail(servers.own_postgres(), OWN) as server:
        yield server


@pytest.fixture
def own_kafka(_broker: KafkaBroker) -> KafkaBroker:
    """A broker to stop, kill and start again; it runs when a test begins."""
    if not _broker.running:
        _broker.start()
    return _broker


@pytest.fixture
def own_postgres(_database_server: PostgresServer) -> PostgresServer:
    """A database server to stop, kill and start again; it runs when a test begins."""
    if not _database_server.running:
        _database_server.start()
    return _database_server


@pytest.fixture
def own_database(own_postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database on the server that may be stopped."""
    with servers.fresh_database(own_postgres.url) as url:
        yield url
        if not own_postgres.running:
            own_postgres.start()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
async def reports(kafka: str, postgres: str, folder: Path) -> Deployment:
    """A deployment of reports, in which one claim was paid."""
    deployment = (await deploy_reports(kafka, postgres, folder)).having(**RESTLESS)
    database = Database(postgres)
    await apply(database, paid(date_of_service="2025-10-15", payment_date="2025-11-01"))
    await database.close()
    return deployment
