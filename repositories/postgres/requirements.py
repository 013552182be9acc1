"""What the database must be: looked at once, before anything is done to it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import text

from repositories.errors import DatabaseUnavailable, DatabaseUnsuitable
from repositories.postgres.connecting import connect, is_encrypted
from repositories.postgres.database import Database, domain_errors
from repositories.postgres.database_url import DatabaseUrl
from repositories.tables import metadata

log = logging.getLogger(__name__)

OLDEST_VERSION = 16
# A busy pooler can give another client the session that a probe waits for.
PROBES = 3

FACTS = """
    SELECT current_setting('server_encoding') AS encoding,
           current_setting('server_version_num')::int / 10000 AS version,
           has_database_privilege(current_database(), 'TEMPORARY') AS temporary
"""
MAY_CREATE = "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)"
MAY_CREATE_FUNCTIONS = """
    SELECT coalesce(has_schema_privilege(to_regnamespace('claim_analytics'), 'CREATE'),
                    has_database_privilege(current_database(), 'CREATE'))
"""
TABLES = """
    SELECT relname AS name,
           pg_has_role(relowner, 'USAGE') AS owned,
           row_security_active(oid) AS hidden,
           has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
           AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE') AS usable
    FROM pg_class JOIN unnest($1::text[]) AS wanted ON oid = to_regclass(wanted)
    ORDER BY relname
"""
IDENTITY = """
    SELECT oid, pg_postmaster_start_time() FROM pg_database WHERE datname = current_database()
"""
REVISION = "SELECT version_num FROM alembic_version"


@asynccontextmanager
async def inspection(url: DatabaseUrl) -> AsyncIterator[asyncpg.Connection]:
    """A connection to look at the database with, in a transaction of its own.

    Raises RepositoryErrors; DatabaseUnsuitable, too, if a pooler lets no session last. It leaves
    nothing behind in a session that a pooler gives to others.
    """
    async with _connection(url) as connection:
        if await _session(connection) != connection.get_server_pid():  # then it is a pooler's
            await _require_sessions(connection, url)
        async with connection.transaction(readonly=True):
            yield connection


@asynccontextmanager
async def _connection(url: DatabaseUrl) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(url, {}, pooled=True)
    try:
        if not url.is_local and not is_encrypted(connection):
            log.warning(
                "%s: not encrypted on the way there; sslmode=verify-full in the URL asks for TLS",
                url.named(),
            )
        with domain_errors(url):
            yield connection
    finally:
        connection.terminate()


async def _session(connection: asyncpg.Connection) -> int:
    async with connection.transaction():
        return int(await connection.fetchval("SELECT pg_backend_pid()"))


async def _require_sessions(connection: asyncpg.Connection, url: DatabaseUrl) -> None:
    """While another transaction has the session that was ours, ours shows if it can be taken."""
    try:
        async with _connection(url) as other, asyncio.timeout(url.connect_timeout):
            for _ in range(PROBES):
                before = await _session(connection)
                async with other.transaction():
                    await other.fetchval("SELECT 1")
                    after = await _session(connection)
                if after != before:
                    raise DatabaseUnsuitable(
                        f"{url.named()}: a pooler in transaction mode is before it, where no"
                        " session lasts. Have its pool_mode=session for this user; or name, in"
                        " CLAIM_ANALYTICS_DATABASE_DIRECT_URL, a way past the pooler for what"
                        " needs a session"
                    )
    except TimeoutError:
        raise DatabaseUnavailable(
            f"{url.named()}: the pooler before it gives no second connection within"
            f" {url.connect_timeout} seconds; see that its pools are large enough"
        ) from None


async def require_same_database(connection: asyncpg.Connection, pooled: DatabaseUrl) -> None:
    """Raise DatabaseUnsuitable if that URL leads elsewhere than the connection."""
    async with _connection(pooled) as other, other.transaction(readonly=True):
        found = await other.fetchrow(IDENTITY)
    if found != await connection.fetchrow(IDENTITY):
        raise DatabaseUnsuitable(
            f"{pooled.named()}: CLAIM_ANALYTICS_DATABASE_DIRECT_URL leads to another database"
        )


async def require_usable(connection: asyncpg.Connection, url: DatabaseUrl) -> None:
    """For whoever reads and writes the tables. Raises DatabaseUnsuitable, with every fault."""
    tables = await connection.fetch(TABLES, list(metadata.tables))
    faults = await _faults(connection)
    if hidden := [row["name"] for row in tables if row["hidden"]]:
        faults.append(
            f"row-level security hides rows of {', '.join(hidden)} from its user: connect as the"
            " owner of the tables"
        )
    if closed := [row["name"] for row in tables if not row["usable"]]:
        faults.append(
            f"its user may not read and write {', '.join(closed)}: connect as the owner of the"
            " tables"
        )
    _refuse(url, faults)


async def require_migratable(connection: asyncpg.Connection, url: DatabaseUrl) -> None:
    """For whoever makes and changes the tables. Raises DatabaseUnsuitable, with every fault."""
    tables = await connection.fetch(TABLES, list(metadata.tables))
    faults = await _faults(connection)
    if not await connection.fetchval(MAY_CREATE):
        faults.append("its user may make no tables: make it the owner of the database")
    if not await connection.fetchval(MAY_CREATE_FUNCTIONS):
        faults.append(
            "its user may make neither the schema claim_analytics, for the readers' functions, nor"
            " anything in it: CREATE SCHEMA claim_analytics AUTHORIZATION that user"
        )
    if others := [row["name"] for row in tables if not row["owned"]]:
        faults.append(
            f"its user does not own {', '.join(others)}: connect as the owner of the tables"
        )
    _refuse(url, faults)


async def _faults(connection: asyncpg.Connection) -> list[str]:
    """What is wrong for whoever."""
    facts = await connection.fetchrow(FACTS)
    faults = []
    if facts["version"] < OLDEST_VERSION:
        faults.append(
            f"it is PostgreSQL {facts['version']}, and the service needs {OLDEST_VERSION} or newer"
        )
    if facts["encoding"] != "UTF8":
        faults.append(
            f"its encoding is {facts['encoding']}, in which not every name can be written: make"
            " one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
        )
    if not facts["temporary"]:
        faults.append(
            "its user may make no temporary tables: GRANT TEMPORARY ON DATABASE … TO that user"
        )
    return faults


def _refuse(url: DatabaseUrl, faults: Sequence[str]) -> None:
    if faults:
        raise DatabaseUnsuitable(f"{url.named()}: {'; '.join(faults)}")


async def schema_revision(database: Database) -> str | None:
    """The schema's revision, without waiting for any lock. Raises RepositoryErrors: SchemaMissing
    before the first `migrate`."""
    async with database.snapshot() as connection:
        found: str | None = await connection.scalar(text(REVISION))
    return found


async def revision_of(connection: asyncpg.Connection) -> str | None:
    """The schema's revision; None before the first `migrate`."""
    if await connection.fetchval("SELECT to_regclass('alembic_version') IS NULL"):
        return None
    found: str | None = await connection.fetchval(REVISION)
    return found
