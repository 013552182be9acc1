"""A migrated database that each test finds empty."""

from collections.abc import Iterator

import pytest

from tests.integration.repositories.migrated import migrated_database
from tests.integration.tables import database, observer

__all__ = ["database", "observer"]


@pytest.fixture(scope="session")
def migrated_url(_postgres18_server: str) -> Iterator[str]:
    with migrated_database(_postgres18_server) as url:
        yield url
