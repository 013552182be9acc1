"""What `Database` promises of its transactions and snapshots."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from asyncpg import Connection
from sqlalchemy import func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable

from repositories import tables
from repositories.claims.batch import merge_events
from repositories.claims.top_code_flush import flush_top_codes
from repositories.errors import DatabaseUnavailable, RepositoryError
from repositories.postgres.database import Database
from repositories.tables import claims, providers
from tests import servers
from tests.harness.moving_address import moving_address
from tests.harness.waiting import until
from tests.integration.repositories.database_state import read_tables
from tests.integration.repositories.examples import (
    apply,
    expected,
    paid,
    rows,
    submitted,
    uuid_of,
)
from tests.integration.repositories.migrated import migrated_database
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

NEW_PROVIDER = insert(providers).values(provider_id=uuid_of("provider P"))


@pytest.fixture
async def narrow(migrated_url: str, observer: Connection) -> AsyncIterator[Database]:
    """A pool of one: what a transaction leaves behind, the next one finds."""
    database = Database(migrated_url, pool_size=1)
    yield database
    await database.close()


async def count(connection: AsyncConnection) -> int:
    return int(await connection.scalar(select(func.count()).select_from(claims)) or 0)


async def test_every_statement_of_a_snapshot_sees_the_same_moment(database: Database) -> None:
    async with database.snapshot() as connection:
        assert await count(connection) == 0
        await apply(database, submitted())
        assert await count(connection) == 0
    async with database.snapshot() as connection:
        assert await count(connection) == 1


async def test_a_snapshot_cannot_write(database: Database, observer: Connection) -> None:
    with pytest.raises(RepositoryError, match="25006"):
        async with database.snapshot() as connection:
            await connection.execute(NEW_PROVIDER)
    assert await observer.fetchval("SELECT count(*) FROM providers") == 0


async def test_a_connection_that_gave_a_snapshot_writes_again_afterwards(narrow: Database) -> None:
    async with narrow.snapshot() as connection:
        await count(connection)
    assert (await apply(narrow, submitted())).applied == 1


async def test_an_error_of_any_kind_undoes_the_transaction(
    narrow: Database, observer: Connection
) -> None:
    async def fail_half_way() -> None:
        async with narrow.transaction() as connection:
            await connection.execute(NEW_PROVIDER)
            raise KeyError

    with pytest.raises(KeyError):
        await fail_half_way()
    assert await observer.fetchval("SELECT count(*) FROM providers") == 0
    assert (await apply(narrow, submitted())).applied == 1


@pytest.mark.parametrize("error", [OSError(), TimeoutError(), ConnectionResetError()])
@pytest.mark.parametrize("kind", ["transaction", "snapshot", "session"])
async def test_what_the_caller_fails_with_is_not_blamed_on_the_database(
    narrow: Database, kind: str, error: OSError
) -> None:
    async def fail() -> None:
        async with getattr(narrow, kind)():
            raise error

    with pytest.raises(type(error)) as caught:
        await fail()
    assert caught.value is error


async def copy_after(database: Database, reset: Callable[[], None]) -> None:
    """As a batch does, past SQLAlchemy."""
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TEMP TABLE lines (line text)"))
        driver: Any = (await connection.get_raw_connection()).driver_connection
        reset()
        await until(driver.is_closed, "the end of the connection")
        await driver.copy_to_table("lines", source=io.BytesIO(b"line\n"))


async def test_a_connection_that_is_reset_is_the_databases_fault_and_is_replaced(
    migrated_url: str, observer: Connection
) -> None:
    """While a statement runs, and before a COPY."""
    parts = urlsplit(migrated_url)
    async with moving_address(parts.port or 0) as address:
        user = parts.netloc.rpartition("@")[0]
        url = parts._replace(netloc=f"{user}@127.0.0.1:{address.port}").geturl()
        database = Database(url)
        await apply(database, submitted())
        async with transaction_of_another(migrated_url, "LOCK TABLE claims IN EXCLUSIVE MODE"):
            batch = asyncio.create_task(apply(database, submitted("B")))
            await until_waiting(observer, 1)
            address.reset()
            with pytest.raises(DatabaseUnavailable, match="connection was lost"):
                await batch
        with pytest.raises(DatabaseUnavailable, match="connection was lost"):
            await copy_after(database, address.reset)
        await apply(database, submitted("C"))
        await database.close()


async def test_what_the_database_takes_for_its_level_changes_no_figure(postgres: str) -> None:
    """A flush that waits for a batch must see what the batch committed."""
    with migrated_database(postgres) as url:
        name = urlsplit(url).path[1:]
        level = "default_transaction_isolation = 'repeatable read'"
        servers.execute(url, f"ALTER DATABASE {name} SET {level}")
        database, observer = Database(url), await asyncpg.connect(url)
        await apply(database, paid("A"))
        async with database.transaction() as connection:
            await merge_events(connection, rows([paid("B", hsc_code="08.19A")]))
            flush = asyncio.create_task(flush_top_codes(database))
            await until_waiting(observer, 1)
        assert await flush == 1
        assert await read_tables(observer) == expected(paid("A"), paid("B", hsc_code="08.19A"))
        await observer.close()
        await database.close()


async def test_a_batch_does_not_find_the_rows_of_the_one_before(narrow: Database) -> None:
    """They share the connection's temporary table."""
    await apply(narrow, submitted("A"), submitted("B"))
    assert (await apply(narrow, submitted("C"))).applied == 1


async def test_a_batch_does_not_meet_the_staging_table_that_another_version_left_behind(
    narrow: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection of a pooler outlives an upgrade of the service, and its temporary tables too."""
    with monkeypatch.context() as earlier:
        earlier.setattr(tables, "source_columns", list)
        left_behind = tables.named_for_its_definition(tables._staged_claim_events)
    async with narrow.transaction() as connection:
        await connection.execute(CreateTable(left_behind))
    assert (await apply(narrow, submitted())).applied == 1
