"""A database whose owner is no superuser, as in production: the reader's role is given to it."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests import servers
from tests.integration.repositories.migrated import upgrade

READER = "claim_analytics_reader"
NEEDED = f"""
    DO $$ BEGIN
        CREATE ROLE {READER} NOLOGIN;
    EXCEPTION WHEN duplicate_object THEN NULL;
    END $$
"""
Grant = Callable[[str], None]


@pytest.fixture
def owned_url(_postgres16_server: str) -> Iterator[str]:
    """Its schema is there; the owner may not take the role."""
    owner = f"owner_{uuid4().hex}"
    servers.execute(_postgres16_server, NEEDED)
    servers.execute(_postgres16_server, f"CREATE ROLE {owner} LOGIN PASSWORD '{owner}'")
    with servers.fresh_database(_postgres16_server) as url:
        parts = urlsplit(url)
        servers.execute(url, f"ALTER DATABASE {parts.path[1:]} OWNER TO {owner}")
        address = parts.netloc.rpartition("@")[2]
        owned = parts._replace(netloc=f"{owner}:{owner}@{address}").geturl()
        upgrade(owned)
        yield owned
    servers.execute(_postgres16_server, f"REVOKE {READER} FROM {owner} CASCADE")
    servers.execute(_postgres16_server, f"DROP ROLE {owner}")


@pytest.fixture
def grant(_postgres16_server: str) -> Grant:
    """A statement of somebody who may everything."""
    return lambda statement: servers.execute(_postgres16_server, statement)
