"""The fixture that most tests here start from; a package's `conftest.py` imports it."""

import pytest

from tests.harness.deployment import Deployment, deploy


@pytest.fixture
async def deployment(kafka: str, postgres: str) -> Deployment:
    """Topics, groups and a migrated database of this test's own, on the shared servers."""
    return await deploy(kafka, postgres)
