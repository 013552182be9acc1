"""Who may call `claim_analytics.aging` and its kin, and whose rows they get, wherever these are."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from asyncpg import Connection

from migrations import commands
from tests import servers
from tests.integration.migrations.catalog import COLUMN_RIGHTS, FUNCTIONS, PROTECTION, read_facts
from tests.integration.migrations.day_rows import (
    KEYS,
    add_day,
    add_provider,
    become_reader,
    brackets,
    filled,
)
from tests.integration.repositories.migrated import upgrade


@pytest.mark.parametrize("function", KEYS)
async def test_the_reader_gets_the_brackets_of_the_provider_that_is_named(
    undone: Connection, function: str
) -> None:
    day = date(2026, 3, 1)
    own, others = await add_provider(undone), await add_provider(undone)
    for provider in (own, others):
        await add_day(undone, provider, KEYS[function], day)
    await become_reader(undone, own)
    for as_of in (day, day + timedelta(days=15)):
        rows = await undone.fetch(f"SELECT * FROM claim_analytics.{function}($1)", as_of)
        assert {row["provider_id"] for row in rows} == {own}


@pytest.mark.parametrize("nobody", ["", str(uuid4())], ids=["unset", "unknown"])
@pytest.mark.parametrize("function", KEYS)
async def test_the_reader_gets_nothing_while_nobody_is_named(
    undone: Connection, function: str, nobody: str
) -> None:
    provider = await add_provider(undone)
    await add_day(undone, provider, KEYS[function], date(2026, 3, 1))
    await become_reader(undone, nobody)
    assert await undone.fetch(f"SELECT * FROM claim_analytics.{function}('2026-03-01')") == []


async def test_tables_and_operators_of_the_caller_take_no_part(undone: Connection) -> None:
    provider = await add_provider(undone)
    await add_day(undone, provider, "aging_brackets", date(2026, 3, 1))
    await undone.execute("""
        CREATE TEMPORARY TABLE providers (LIKE public.providers) ON COMMIT DROP;
        CREATE TEMPORARY TABLE analytics_cache (LIKE public.analytics_cache) ON COMMIT DROP;
        CREATE SCHEMA callers;
        CREATE FUNCTION callers.never(date, date) RETURNS boolean LANGUAGE sql
            RETURN false;
        CREATE OPERATOR callers.>= (FUNCTION = callers.never, LEFTARG = date, RIGHTARG = date);
        SET LOCAL search_path = pg_temp, callers, pg_catalog
    """)
    rows = await brackets(undone, "aging", provider, date(2026, 3, 1))
    assert [row.bracket for row in filled(rows)] == ["0-30"]


async def test_nobody_but_the_reader_and_the_owner_may_call(undone: Connection) -> None:
    await undone.execute("CREATE ROLE stranger")
    await undone.execute("GRANT USAGE ON SCHEMA claim_analytics TO stranger")
    await undone.execute("SET LOCAL ROLE stranger")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="function aging"):
        await undone.fetch("SELECT * FROM claim_analytics.aging()")


async def test_they_have_no_more_rights_than_the_caller_and_change_nothing(
    schema: Connection,
) -> None:
    rows = await schema.fetch("""
        SELECT DISTINCT prosecdef, provolatile, proconfig::text FROM pg_proc
        WHERE pronamespace = 'claim_analytics'::regnamespace
    """)
    assert [tuple(row) for row in rows] == [
        (False, b"s", '{"search_path=pg_catalog, pg_temp"}'),
    ]


async def test_down_takes_what_this_migration_gave(any_postgres: str) -> None:
    await asyncio.to_thread(commands.upgrade, any_postgres, "0005")
    connection = await asyncpg.connect(any_postgres)
    looks = (PROTECTION, COLUMN_RIGHTS, FUNCTIONS)
    before = [await read_facts(connection, look) for look in looks]
    await asyncio.to_thread(commands.upgrade, any_postgres)
    await asyncio.to_thread(commands.downgrade, any_postgres, "0005")
    assert [await read_facts(connection, look) for look in looks] == before
    await connection.close()


@pytest.fixture(params=["billing", "claim_analytics"])
def schema_name(request: pytest.FixtureRequest) -> str:
    """Where the tables are, the functions' own schema for one."""
    return str(request.param)


@pytest.fixture
def elsewhere_url(_postgres18_server: str, schema_name: str) -> Iterator[str]:
    """A database whose tables are in another schema than `public`."""
    with servers.fresh_database(_postgres18_server) as url:
        name = urlsplit(url).path[1:]
        servers.execute(url, f"CREATE SCHEMA {schema_name}")
        servers.execute(url, f"ALTER DATABASE {name} SET search_path = {schema_name}")
        upgrade(url)
        yield url


async def test_the_tables_may_be_in_any_schema(elsewhere_url: str, schema_name: str) -> None:
    connection = await asyncpg.connect(elsewhere_url)
    async with connection.transaction():
        provider = await add_provider(connection)
        await add_day(connection, provider, "aging_brackets", date(2026, 3, 1))
    async with connection.transaction():
        await become_reader(connection, provider)
        await connection.execute("SET LOCAL search_path = public")
        rows = await brackets(connection, "aging", provider, date(2026, 3, 1))
        assert [row.bracket for row in filled(rows)] == ["0-30"]
    await connection.execute("DELETE FROM analytics_cache; DELETE FROM providers")
    await asyncio.to_thread(commands.downgrade, elsewhere_url)
    left = await connection.fetchval(f"SELECT count(*) FROM {schema_name}.alembic_version")
    assert left == 0
    await connection.close()
