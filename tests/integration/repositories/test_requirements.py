"""What the database must be, and each way in which it can be something else."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from migrations import commands
from repositories.claims.verification import verify
from repositories.errors import DatabaseRefused, DatabaseUnsuitable
from repositories.postgres import requirements
from repositories.postgres.database import Database
from repositories.postgres.database_url import DatabaseUrl
from repositories.postgres.requirements import inspection, require_migratable, require_usable
from tests import servers
from tests.integration.repositories.examples import apply, paid
from tests.integration.repositories.migrated import migrated_database


@pytest.fixture(scope="module")
def own_url(_postgres18_server: str) -> Iterator[str]:
    """A migrated database whose roles and rights this module changes."""
    with migrated_database(_postgres18_server) as url:
        yield url


@pytest.fixture
def other_user(own_url: str) -> Iterator[str]:
    """The URL of a user who owns nothing there."""
    name = f"other_{uuid4().hex}"
    servers.execute(own_url, f"CREATE ROLE {name} LOGIN PASSWORD '{name}'")
    address = urlsplit(own_url)
    yield address._replace(netloc=f"{name}:{name}@{address.netloc.rpartition('@')[2]}").geturl()
    servers.execute(own_url, f"DROP OWNED BY {name}; DROP ROLE {name}")


async def look(url: str) -> None:
    """As `run` and the commands do."""
    address = DatabaseUrl.parse(url)
    async with inspection(address) as connection:
        await require_usable(connection, address)


async def look_before_migrating(url: str) -> None:
    address = DatabaseUrl.parse(url)
    async with inspection(address) as connection:
        await require_migratable(connection, address)


async def test_the_owner_of_a_database_as_it_must_be_is_let_through(own_url: str) -> None:
    await look(own_url)
    await look_before_migrating(own_url)


async def test_another_encoding_is_refused(postgres16: str) -> None:
    """One name that it cannot write would end the service at every start."""
    latin = urlsplit(postgres16)._replace(path=f"/latin_{uuid4().hex}").geturl()
    name = urlsplit(latin).path[1:]
    servers.execute(
        postgres16, f"CREATE DATABASE {name} ENCODING LATIN1 LOCALE 'C' TEMPLATE template0"
    )
    try:
        with pytest.raises(DatabaseUnsuitable, match=r"encoding is LATIN1.*ENCODING 'UTF8'"):
            await look(latin)
        with pytest.raises(DatabaseUnsuitable, match="encoding is LATIN1"):
            await asyncio.to_thread(commands.upgrade, latin)
    finally:
        servers.execute(postgres16, f"DROP DATABASE {name}")


async def test_an_old_server_is_refused(own_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requirements, "OLDEST_VERSION", 99)  # there is no older one here
    with pytest.raises(DatabaseUnsuitable, match="it is PostgreSQL 18, and the service needs 99"):
        await look(own_url)


async def test_every_right_that_is_missing_is_named_at_once(own_url: str, other_user: str) -> None:
    """Rows that are hidden from a user are none to it: `verify` would find all in order."""
    servers.execute(
        own_url, f"REVOKE TEMPORARY ON DATABASE {urlsplit(own_url).path[1:]} FROM PUBLIC"
    )
    with pytest.raises(DatabaseUnsuitable) as caught:
        await look(other_user)
    for words in ("no temporary tables: GRANT TEMPORARY", "security hides rows of", "not read and"):
        assert words in str(caught.value)
    with pytest.raises(DatabaseUnsuitable, match=r"make no tables: .*; its user does not own"):
        await look_before_migrating(other_user)


async def test_a_user_who_rows_are_hidden_from_gets_an_error_and_no_all_clear(
    own_url: str, other_user: str
) -> None:
    owner = Database(own_url)
    await apply(owner, paid())
    await owner.close()
    name = urlsplit(other_user).username
    servers.execute(own_url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    stranger = Database(other_user)
    with pytest.raises(DatabaseRefused, match=r"row-level security would hide rows .*42501"):
        await verify(stranger)
    await stranger.close()
    with pytest.raises(
        DatabaseUnsuitable, match="row-level security hides rows of ai_suggestions, analytics_ca"
    ):
        await look(other_user)


async def test_a_user_who_may_create_no_schema_needs_one_for_the_readers_functions(
    own_url: str, other_user: str
) -> None:
    """It is asked for before anything is done, and the way down leaves it for the way up."""
    name = urlsplit(other_user).username
    with servers.fresh_database(own_url) as superusers:
        url = urlsplit(other_user)._replace(path=urlsplit(superusers).path).geturl()
        servers.execute(superusers, "GRANT CREATE ON SCHEMA public TO PUBLIC")
        with pytest.raises(DatabaseUnsuitable, match="CREATE SCHEMA claim_analytics AUTHORIZATION"):
            await asyncio.to_thread(commands.upgrade, url)
        servers.execute(superusers, f"CREATE SCHEMA claim_analytics AUTHORIZATION {name}")
        await asyncio.to_thread(commands.upgrade, url)
        await asyncio.to_thread(commands.downgrade, url)
        await asyncio.to_thread(commands.upgrade, url)
