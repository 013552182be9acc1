"""`migrate` beside instances that write: it waits for them, holds up nobody for long, and ends."""

import asyncio

import pytest
from asyncpg import Connection

from migrations import commands, writers
from migrations.revisions import head
from repositories.claims.batch import HORIZON_LOCK
from repositories.errors import LockNotAvailable, SchemaMissing
from repositories.postgres.database import Database
from tests.integration.migrations.catalog import read_catalog
from tests.integration.repositories.examples import apply, submitted
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

BEFORE = "0004"  # the last schema whose writers share no `schema_demand`
A_BATCH = f"SELECT pg_advisory_xact_lock_shared({HORIZON_LOCK})"
A_FLUSH = "SELECT * FROM providers FOR NO KEY UPDATE"
A_READER = "SELECT * FROM claims"


@pytest.fixture
def older_url(fresh_url: str) -> str:
    """The URL of a database with the schema of an older version."""
    commands.downgrade(fresh_url, BEFORE)
    return fresh_url


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "LOCK_SECONDS", 0.2)
    monkeypatch.setattr(writers, "PAUSE_SECONDS", 0.2)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("others", [A_BATCH, A_FLUSH, A_READER])
async def test_it_tries_again_until_others_have_ended(
    older_url: str, connection: Connection, others: str
) -> None:
    async with transaction_of_another(older_url, others):
        migrating = asyncio.create_task(asyncio.to_thread(commands.upgrade, older_url))
        await until_waiting(connection, 1)
        # Between two attempts whoever came after it gets by.
        await connection.execute(f"INSERT INTO providers VALUES (gen_random_uuid()); {A_BATCH}")
        assert not migrating.done()
    await migrating
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == head()


@pytest.mark.usefixtures("_impatient")
async def test_it_gives_up_in_the_end_and_has_changed_nothing(
    older_url: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "PATIENCE_SECONDS", 0.0)
    before = await read_catalog(connection)
    async with transaction_of_another(older_url, A_BATCH):
        with pytest.raises(LockNotAvailable):
            await asyncio.to_thread(commands.upgrade, older_url)
    assert await read_catalog(connection) == before


async def test_a_transaction_that_writes_ends_first_and_the_next_waits(
    fresh_url: str, connection: Connection
) -> None:
    """Of versions that share the demand; here on the way down, which is the same."""
    database = Database(fresh_url)
    async with database.transaction():
        down = asyncio.create_task(asyncio.to_thread(commands.downgrade, fresh_url, BEFORE))
        await until_waiting(connection, 1)
        batch = asyncio.create_task(apply(database, submitted()))
        await until_waiting(connection, 2)
    await down
    with pytest.raises(SchemaMissing):
        await batch
    await database.close()


async def test_where_nothing_is_to_be_changed_nobody_is_waited_for(fresh_url: str) -> None:
    """It runs at each start of each instance, in many deployments."""
    database = Database(fresh_url)
    async with database.transaction():
        await asyncio.to_thread(commands.upgrade, fresh_url)
    await database.close()
