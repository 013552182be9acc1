"""What `Database` promises of its transactions and snapshots."""

from collections.abc import AsyncIterator

import pytest
from asyncpg import Connection
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.database import Database
from repositories.errors import RepositoryError
from repositories.tables import claims, providers
from tests.integration.repositories.examples import apply, submitted, uuid_of

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


async def test_a_batch_does_not_find_the_rows_of_the_one_before(narrow: Database) -> None:
    """They share the connection's temporary table."""
    await apply(narrow, submitted("A"), submitted("B"))
    assert (await apply(narrow, submitted("C"))).applied == 1
