"""A migrated database that each test finds empty, and deployments for tests with a real Kafka."""

from collections.abc import Iterator

import pytest

from tests.harness.fixtures import deployment
from tests.integration.repositories.migrated import migrated_database
from tests.integration.tables import database, observer

__all__ = ["database", "deployment", "observer"]


@pytest.fixture(scope="session")
def migrated_url(_postgres18_server: str) -> Iterator[str]:
    with migrated_database(_postgres18_server) as url:
        yield url
