"""What goes wrong in a real PostgreSQL reaches the caller in the domain's words."""

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from asyncpg import Connection
from sqlalchemy import text

from repositories.claims.batch import merge_events
from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from repositories.errors import DatabaseAbsent, DatabaseUnavailable, NotAdmitted, SchemaMissing
from repositories.postgres.database import Database
from tests import servers
from tests.integration.repositories.examples import (
    apply,
    expected,
    paid,
    rows,
    settled,
    submitted,
    uuid_of,
)
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

LOCK_CLAIMS = "LOCK TABLE claims IN EXCLUSIVE MODE"


async def test_a_backend_that_is_terminated_is_a_passing_fault(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    async with transaction_of_another(migrated_url, LOCK_CLAIMS):
        batch = asyncio.create_task(apply(database, paid()))
        [pid] = await until_waiting(observer, 1)
        await observer.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises(DatabaseUnavailable) as caught:
            await batch
    assert caught.value.retriable
    await apply(database, paid())
    assert await settled(database, observer) == expected(paid())


async def test_connections_that_were_cut_while_idle_are_replaced(
    database: Database, observer: Connection
) -> None:
    """As after a restart of the server: one failure, not one for each connection of the pool."""
    await asyncio.gather(*(apply(database, submitted(str(n))) for n in range(8)))
    await observer.execute(
        """SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
           WHERE datname = current_database() AND application_name = 'claim-analytics'"""
    )
    with pytest.raises(DatabaseUnavailable):
        await apply(database, paid())
    await asyncio.gather(*(apply(database, paid(str(n))) for n in range(8)))


async def test_a_connection_that_is_busy_with_what_was_broken_off_is_a_passing_fault(
    database: Database,
) -> None:
    """The driver has no state for it, nor for a connection that is closed."""

    async def busy() -> None:
        async with database.session() as connection:
            sleeping = asyncio.ensure_future(connection.execute("SELECT pg_sleep(60)"))
            await asyncio.sleep(0)  # it begins
            try:
                await connection.execute("SELECT 1")
            finally:
                sleeping.cancel()
                await asyncio.wait({sleeping})

    async def closed() -> None:
        async with database.session() as connection:
            connection.terminate()
            await connection.execute("SELECT 1")

    for unusable in (busy, closed):
        with pytest.raises(DatabaseUnavailable):
            await unusable()


async def test_a_cancelled_statement_is_a_passing_fault(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    async with transaction_of_another(migrated_url, LOCK_CLAIMS):
        batch = asyncio.create_task(apply(database, paid()))
        [pid] = await until_waiting(observer, 1)
        await observer.execute("SELECT pg_cancel_backend($1)", pid)
        with pytest.raises(DatabaseUnavailable, match="57014"):
            await batch
    await apply(database, paid())


async def test_a_statement_that_takes_too_long_is_a_passing_fault(
    migrated_url: str, observer: Connection
) -> None:
    impatient = Database(migrated_url, statement_timeout_ms=100)
    try:
        async with transaction_of_another(migrated_url, LOCK_CLAIMS):
            with pytest.raises(DatabaseUnavailable, match="57014"):
                await apply(impatient, paid())
    finally:
        await impatient.close()


async def test_a_lock_that_is_not_to_be_had_is_a_passing_fault(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    async def merge_at_once() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("SET LOCAL lock_timeout = '10ms'"))
            await merge_events(connection, rows([paid()]))

    async with transaction_of_another(migrated_url, LOCK_CLAIMS):
        with pytest.raises(DatabaseUnavailable, match="55P03"):
            await merge_at_once()


async def test_a_deadlock_is_a_passing_fault_and_its_work_succeeds_later(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted("A"), submitted("B", provider="Q"))
    lock = text("SELECT FROM providers WHERE provider_id = :id FOR UPDATE")
    both_hold_one = asyncio.Barrier(2)

    async def lock_both(first: str, second: str) -> None:
        async with database.transaction() as connection:
            await connection.execute(lock, {"id": uuid_of(f"provider {first}")})
            await both_hold_one.wait()
            await connection.execute(lock, {"id": uuid_of(f"provider {second}")})

    found = await asyncio.gather(lock_both("P", "Q"), lock_both("Q", "P"), return_exceptions=True)
    [error] = filter(None, found)
    assert isinstance(error, DatabaseUnavailable)
    assert "40P01" in str(error)
    await apply(database, paid("A"), paid("B", provider="Q"))


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


async def test_a_server_that_is_not_there_is_a_passing_fault(closed_port: int) -> None:
    database = Database(f"postgresql://someone:secret@127.0.0.1:{closed_port}/somewhere")
    with pytest.raises(DatabaseUnavailable) as caught:
        await apply(database, paid())
    assert "secret" not in str(caught.value)
    await database.close()


async def test_a_wrong_user_is_a_fault_for_a_person(migrated_url: str) -> None:
    address = urlsplit(migrated_url).netloc.rpartition("@")[2]
    stranger = urlsplit(migrated_url)._replace(netloc=f"nobody:secret@{address}").geturl()
    database = Database(stranger)
    with pytest.raises(NotAdmitted, match=r"wrong user or password .* \(SQLSTATE 28P01\)") as no:
        await apply(database, paid())
    assert "secret" not in str(no.value)
    await database.close()


async def test_a_database_that_is_not_there_may_come_back(migrated_url: str) -> None:
    """It is away while it is being restored under this name."""
    database = Database(urlsplit(migrated_url)._replace(path="/no_such_database").geturl())
    with pytest.raises(DatabaseAbsent, match=r"database no_such_database: .*create it, or mend"):
        await apply(database, paid())
    await database.close()


async def test_without_the_tables_the_error_says_to_migrate(any_postgres: str) -> None:
    database = Database(any_postgres)
    for work in (apply(database, paid()), flush_top_codes(database), verify(database)):
        with pytest.raises(SchemaMissing, match="claim-analytics migrate"):
            await work
    await database.close()


async def test_a_column_that_is_missing_is_the_schemas_fault_too(
    migrated_url: str, observer: Connection
) -> None:
    with servers.fresh_database(migrated_url) as url:
        servers.execute(url, "CREATE TABLE claim_events (claim_id uuid)")
        database = Database(url)
        with pytest.raises(SchemaMissing):
            await verify(database)
        await database.close()
