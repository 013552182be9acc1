"""The fixture that most tests here start from; a package's `conftest.py` imports it."""

import pytest

from tests.harness.deployment import Deployment, deploy

# The test, whose deployment or `postgres` it is, runs once on each version of the server.
ON_BOTH = pytest.mark.parametrize(
    "postgres", ["_postgres18_server", "_postgres16_server"], ids=["18", "16"], indirect=True
)


@pytest.fixture
async def deployment(kafka: str, postgres: str) -> Deployment:
    """Topics, groups and a migrated database of this test's own, on the shared servers."""
    return await deploy(kafka, postgres)
