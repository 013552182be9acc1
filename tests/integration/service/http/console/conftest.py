"""Settings of a console on a migrated, empty database, where nothing listens as Kafka."""

import asyncpg
import pytest
from pydantic import SecretStr

from service.settings import Settings
from tests.harness.console import CLOSED, TOKENS


@pytest.fixture
def alone(migrated_url: str, observer: asyncpg.Connection) -> Settings:
    """Without tokens. `observer` has emptied the tables."""
    return Settings(database_url=SecretStr(migrated_url), kafka_bootstrap_servers=CLOSED)


@pytest.fixture
def guarded(alone: Settings) -> Settings:
    """With a reader's and an operator's token."""
    return alone.model_copy(update={"console_tokens": SecretStr(TOKENS)})
