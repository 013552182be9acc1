"""What tells one installation's database from every other."""

import asyncpg

from repositories.installation import identity
from repositories.postgres.database import Database
from tests import servers
from tests.integration.repositories.migrated import upgrade


async def test_an_installation_keeps_its_identity_and_no_other_database_has_it(
    database: Database, migrated_url: str
) -> None:
    mine = await identity(database)
    assert await identity(database) == mine
    with servers.fresh_database(migrated_url) as url:
        upgrade(url)
        other_database = Database(url)
        other = await identity(other_database)
        await other_database.close()
    assert other.installation != mine.installation
    server, oid = mine.database.split("/")
    assert other.database.startswith(f"{server}/")
    assert other.database != mine.database
    assert oid.isdigit()


async def test_a_role_that_owns_nothing_but_its_database_may_ask(
    observer: asyncpg.Connection,
) -> None:
    await observer.execute("SET ROLE pg_signal_backend")  # any role that is no superuser
    assert await observer.fetchval("SELECT system_identifier FROM pg_control_system()")
