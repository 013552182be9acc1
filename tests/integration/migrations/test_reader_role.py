"""The role `claim_analytics_reader` sees the rows of one provider, the one that is named to it."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import asyncpg
import pytest
from asyncpg import Connection

from repositories.postgres.database import Database
from repositories.reports.tables import generated_reports
from tests.integration.migrations.catalog import read_facts
from tests.integration.repositories.examples import apply, paid, uuid_of
from tests.integration.repositories.suggestion_examples import apply_suggestions, suggestion

READER = "claim_analytics_reader"
SHOWN = ("analytics_cache", "generated_reports", "claims", "claim_events", "ai_suggestions")
P, Q = uuid_of("provider P"), uuid_of("provider Q")

REPORTS = """
    INSERT INTO generated_reports (provider_id, report_type, format, file_path, file_size_bytes,
        download_link_expires_at)
    SELECT provider_id, 'WCB_TIMING', 'PDF', 'reports/1', 0, now() FROM providers
"""
RIGHTS = f"""
    SELECT relname, privilege
    FROM pg_class, unnest('{{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}}'::text[])
        AS privilege
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'm')
        AND (has_table_privilege('{READER}', pg_class.oid, privilege)
            OR privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')
                AND has_any_column_privilege('{READER}', pg_class.oid, privilege))
"""
READABLE = f"""
    SELECT attname FROM pg_attribute
    WHERE attrelid = $1::regclass AND attnum > 0
        AND has_column_privilege('{READER}', attrelid, attnum, 'SELECT')
    ORDER BY attnum
"""
ROLE = "SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = $1"

shown = pytest.mark.parametrize("table", SHOWN)


@pytest.fixture(scope="module")
def filled_url(migrated_url: str) -> str:
    """Tables that have rows of two providers."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, _fill(migrated_url)).result()
    return migrated_url


async def _fill(url: str) -> None:
    database = Database(url)
    await apply(database, paid("A", provider="P"), paid("B", provider="Q"))
    await apply_suggestions(database, suggestion("A"), suggestion("B", provider="Q"))
    await database.close()
    connection = await asyncpg.connect(url)
    await connection.execute(REPORTS)
    await connection.close()


@pytest.fixture
async def reader(filled_url: str) -> AsyncIterator[Connection]:
    """A connection as the role."""
    connection = await asyncpg.connect(filled_url)
    await connection.execute(f"SET ROLE {READER}")
    yield connection
    await connection.close()


async def name(reader: Connection, provider: UUID | str) -> None:
    await reader.execute("SELECT set_config('app.provider_id', $1, false)", str(provider))


@shown
@pytest.mark.parametrize("provider", [P, Q], ids=["P", "Q"])
async def test_the_reader_sees_the_provider_that_is_named(
    reader: Connection, table: str, provider: UUID
) -> None:
    await name(reader, provider)
    seen = await reader.fetch(f"SELECT DISTINCT provider_id FROM {table}")
    assert [row["provider_id"] for row in seen] == [provider]


@shown
async def test_the_reader_sees_nothing_while_nobody_is_named(
    reader: Connection, table: str
) -> None:
    count = f"SELECT count(*) FROM {table}"
    assert await reader.fetchval(count) == 0
    async with reader.transaction():
        await reader.execute("SELECT set_config('app.provider_id', $1, true)", str(P))
        assert await reader.fetchval(count) > 0
    assert await reader.fetchval(count) == 0  # the setting is the empty text from now on
    await name(reader, uuid4())
    assert await reader.fetchval(count) == 0


@shown
async def test_a_name_that_is_no_uuid_is_an_error_and_shows_nothing(
    reader: Connection, table: str
) -> None:
    await name(reader, "' OR true --")
    with pytest.raises(asyncpg.InvalidTextRepresentationError):
        await reader.fetch(f"SELECT provider_id FROM {table}")


@shown
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {table} SELECT * FROM {table}",
        "UPDATE {table} SET provider_id = provider_id",
        "DELETE FROM {table}",
        "TRUNCATE {table}",
        "SELECT * FROM {table} FOR UPDATE",
    ],
    ids=["insert", "update", "delete", "truncate", "lock"],
)
async def test_the_reader_cannot_write(reader: Connection, table: str, statement: str) -> None:
    await name(reader, P)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute(statement.format(table=table))


async def test_the_reader_has_no_right_but_to_read_those_tables_and_columns(
    schema: Connection,
) -> None:
    tables = {(table, "SELECT") for table in (*SHOWN, "providers", "cache_horizon")}
    assert set(await read_facts(schema, RIGHTS)) == tables
    columns = await schema.fetch(READABLE, "providers")
    assert [row["attname"] for row in columns] == ["provider_id", "metrics_revision"]
    columns = await schema.fetch(READABLE, "generated_reports")
    hidden = {column.name for column in generated_reports.columns} - {c["attname"] for c in columns}
    assert hidden == {"file_path"}


async def test_the_reader_sees_of_the_providers_the_one_that_is_named(reader: Connection) -> None:
    seen = "SELECT provider_id FROM providers WHERE metrics_revision > 0"
    assert await reader.fetch(seen) == []
    await name(reader, P)
    assert [row["provider_id"] for row in await reader.fetch(seen)] == [P]


async def test_nobody_can_log_in_as_the_reader(schema: Connection) -> None:
    assert tuple(await schema.fetchrow(ROLE, READER)) == (False, False, False)
