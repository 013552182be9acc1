"""The reader's role belongs to the server: databases share it, and none takes it away."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from asyncpg import Connection

from migrations import commands
from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from repositories.postgres.database import Database
from service.local.stack.postgres import PostgresServer
from tests import servers
from tests.integration.migrations.processes import finish, start_upgrade
from tests.integration.repositories.examples import apply, paid, submitted
from tests.integration.repositories.migrated import migrated_database
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

READER = "claim_analytics_reader"
ROLES = "SELECT count(*) FROM pg_roles WHERE rolname = $1"
READS = f"SELECT has_table_privilege('{READER}', 'claims', 'SELECT')"


@pytest.fixture
def owned_url(any_postgres: str) -> Iterator[str]:
    """A database of an ordinary user, who is no superuser and cannot create roles."""
    owner = f"owner_{uuid4().hex}"
    servers.execute(any_postgres, f"CREATE ROLE {owner} LOGIN PASSWORD '{owner}'")
    with servers.fresh_database(any_postgres) as url:
        parts = urlsplit(url)
        servers.execute(url, f"ALTER DATABASE {parts.path[1:]} OWNER TO {owner}")
        address = parts.netloc.rpartition("@")[2]
        yield parts._replace(netloc=f"{owner}:{owner}@{address}").geturl()
    servers.execute(any_postgres, f"DROP ROLE {owner}")


async def test_an_owner_who_cannot_create_roles_uses_the_one_that_is_there(
    fresh_url: str, owned_url: str
) -> None:
    """And, being the owner, sees all rows."""
    await asyncio.to_thread(commands.upgrade, owned_url)
    database = Database(owned_url)
    await apply(database, submitted("A"), submitted("B", provider="Q"))
    found = await verify(database)
    await database.close()
    assert (found.clean, found.claims) == (True, 2)
    await asyncio.to_thread(commands.downgrade, owned_url)


async def test_a_server_that_refuses_md5_as_in_fips_mode_is_no_hindrance(
    any_postgres: str, fresh_url: str, owned_url: str
) -> None:
    """Refused here by taking the right to it from everybody but superusers."""
    its_database = urlsplit(any_postgres)._replace(path=urlsplit(owned_url).path).geturl()
    for argument in ("text", "bytea"):
        servers.execute(its_database, f"REVOKE EXECUTE ON FUNCTION md5({argument}) FROM PUBLIC")
    await asyncio.to_thread(commands.upgrade, owned_url)
    database = Database(owned_url)
    await apply(database, submitted(), paid())
    await flush_top_codes(database)
    found = await verify(database)
    await database.close()
    assert (found.clean, found.claims) == (True, 1)


async def test_down_takes_the_readers_rights_in_its_own_database_only(
    fresh_url: str, connection: Connection
) -> None:
    with migrated_database(fresh_url) as second:
        await asyncio.to_thread(commands.downgrade, second)
    assert await connection.fetchval(READS)


async def test_the_role_stays_after_down_and_is_used_by_the_next_up(
    fresh_url: str, connection: Connection
) -> None:
    await asyncio.to_thread(commands.downgrade, fresh_url)
    assert await connection.fetchval(ROLES, READER) == 1
    await asyncio.to_thread(commands.upgrade, fresh_url)
    assert await connection.fetchval(READS)


@pytest.mark.parametrize("commit", [False, True], ids=["rolled_back", "committed"])
async def test_databases_that_are_migrated_at_once_on_a_new_server_share_one_role(
    own_postgres: PostgresServer, commit: bool
) -> None:
    """A third is creating the role when both come to it."""
    with ExitStack() as stack:
        urls = [stack.enter_context(servers.fresh_database(own_postgres.url)) for _ in range(2)]
        async with transaction_of_another(own_postgres.url, f"CREATE ROLE {READER}", commit=commit):
            upgrades = [await start_upgrade(url) for url in urls]
            for url in urls:
                await _until_one_waits(url)
        await finish(upgrades)


async def _until_one_waits(url: str) -> None:
    connection = await asyncpg.connect(url)
    await until_waiting(connection, 1)
    await connection.close()
