"""Migrations go up, down and up again, and give what the tables in the code say."""

import asyncio

import pytest
from alembic.util import CommandError
from asyncpg import Connection
from sqlalchemy import pool

from migrations import commands
from migrations.revisions import head
from repositories.claims.batch import Merged
from repositories.postgres.database import Database, open_engine
from repositories.postgres.database_url import CurrentUrl
from repositories.schema import metadata
from tests import servers
from tests.integration.migrations.catalog import (
    COLUMN_RIGHTS,
    FUNCTIONS,
    PROTECTION,
    read_catalog,
    read_facts,
)
from tests.integration.migrations.processes import finish, start_upgrade
from tests.integration.repositories.examples import apply, paid, submitted
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

ALEMBICS_OWN = "alembic_version"
BESIDE_THE_TABLES = (PROTECTION, COLUMN_RIGHTS, FUNCTIONS)


async def upgrade(url: str) -> None:
    await asyncio.to_thread(commands.upgrade, url)


async def test_migrations_and_tables_in_the_code_give_the_same_catalog(
    fresh_url: str, connection: Connection
) -> None:
    """Alembic compares no storage parameters, index methods, nor NULLS NOT DISTINCT."""
    by_migration = await read_catalog(connection, without=ALEMBICS_OWN)
    await asyncio.to_thread(commands.downgrade, fresh_url)
    await connection.execute(f"DROP TABLE {ALEMBICS_OWN}")
    engine = open_engine(CurrentUrl(fresh_url), poolclass=pool.NullPool)
    async with engine.begin() as code:
        await code.run_sync(metadata.create_all)
    assert by_migration == await read_catalog(connection)


def test_alembic_finds_no_difference_either(fresh_url: str) -> None:
    commands.check(fresh_url)


def test_a_table_that_was_changed_by_hand_is_a_difference(fresh_url: str) -> None:
    servers.execute(fresh_url, "ALTER TABLE claims ADD COLUMN by_hand int")
    with pytest.raises(CommandError, match="by_hand"):
        commands.check(fresh_url)


async def test_down_leaves_nothing(fresh_url: str, connection: Connection) -> None:
    await asyncio.to_thread(commands.downgrade, fresh_url)
    left = await read_catalog(connection, without=ALEMBICS_OWN)
    assert not any(left)
    assert await read_facts(connection, FUNCTIONS) == []
    assert await connection.fetchval(f"SELECT count(*) FROM {ALEMBICS_OWN}") == 0


async def test_up_after_down_gives_what_the_first_up_gave(
    fresh_url: str, connection: Connection
) -> None:
    first = await read_catalog(connection)
    beside = [await read_facts(connection, look) for look in BESIDE_THE_TABLES]
    assert all(beside)
    await asyncio.to_thread(commands.downgrade, fresh_url)
    await upgrade(fresh_url)
    assert await read_catalog(connection) == first
    assert [await read_facts(connection, look) for look in BESIDE_THE_TABLES] == beside


async def test_up_twice_changes_nothing(fresh_url: str, connection: Connection) -> None:
    first = await read_catalog(connection)
    await upgrade(fresh_url)
    assert await read_catalog(connection) == first


async def test_claims_outlast_the_way_down_to_before_erasures_and_up_again(fresh_url: str) -> None:
    database = Database(fresh_url)
    await apply(database, submitted(), paid())
    await asyncio.to_thread(commands.downgrade, fresh_url, "0002")
    await upgrade(fresh_url)
    assert await apply(database, submitted(), paid()) == Merged(duplicate=2)
    await database.close()


async def test_the_database_is_at_the_revision_that_the_service_expects(
    fresh_url: str, connection: Connection
) -> None:
    assert await connection.fetchval(f"SELECT version_num FROM {ALEMBICS_OWN}") == head()


async def test_of_two_migrations_at_once_one_waits_and_finds_it_done(
    any_postgres: str, connection: Connection
) -> None:
    """A third holds up the very first table, so that both are under way."""
    block = f"CREATE TABLE {ALEMBICS_OWN} (version_num text)"
    async with transaction_of_another(any_postgres, block):
        both = [await start_upgrade(any_postgres) for _ in range(2)]
        await until_waiting(connection, 2)
    await finish(both)
    await asyncio.to_thread(commands.check, any_postgres)
    revisions = await connection.fetch(f"SELECT version_num FROM {ALEMBICS_OWN}")
    assert [row["version_num"] for row in revisions] == [head()]
