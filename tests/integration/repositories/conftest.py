"""One migrated database per version for all tests here; each test finds it empty."""

from collections.abc import Iterator

import pytest

from tests.integration.repositories.migrated import migrated_database
from tests.integration.tables import database, observer

__all__ = ["database", "observer"]


@pytest.fixture(scope="session", params=[18, 16], ids=["postgres18", "postgres16"])
def migrated_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database with the schema in it; its rows are whatever the last test left."""
    server: str = request.getfixturevalue(f"_postgres{request.param}_server")
    with migrated_database(server) as url:
        yield url
