"""The fence: code that is older than the schema demands writes nothing."""

import asyncio
from collections.abc import Iterator

import pytest
from asyncpg import Connection

from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from repositories.errors import CodeOutdated, SchemaMissing
from repositories.postgres.database import Database
from repositories.postgres.schema_demand import CODE_REVISION
from repositories.reports.jobs import claim_job
from tests import servers
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import apply, paid, submitted
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

DEMAND = "UPDATE schema_demand SET code_revision = {}"


@pytest.fixture
def _restored(migrated_url: str) -> Iterator[None]:
    yield
    servers.execute(
        migrated_url,
        "INSERT INTO schema_demand (code_revision) VALUES"
        f" ({CODE_REVISION}) ON CONFLICT (only_row) DO UPDATE SET code_revision = {CODE_REVISION}",
    )


async def test_migrate_demands_this_code(database: Database, observer: Connection) -> None:
    """One that demands more than its own code is would fence that code out."""
    assert await observer.fetchval("SELECT code_revision FROM schema_demand") == CODE_REVISION


@pytest.mark.usefixtures("_restored")
async def test_older_code_changes_nothing_and_says_what_to_do(
    database: Database, observer: Connection
) -> None:
    await apply(database, paid("A"))
    await observer.execute(DEMAND.format(CODE_REVISION + 1))
    before = await dump(observer)
    for write in (
        apply(database, submitted("B")),
        flush_top_codes(database),
        claim_job(database, 9),
    ):
        with pytest.raises(CodeOutdated, match="Replace this instance"):
            await write
    assert await dump(observer) == before
    assert (await verify(database)).clean


@pytest.mark.usefixtures("_restored")
async def test_code_that_is_newer_than_demanded_writes(
    database: Database, observer: Connection
) -> None:
    await observer.execute(DEMAND.format(CODE_REVISION - 1))
    assert (await apply(database, submitted())).applied == 1


@pytest.mark.usefixtures("_restored")
async def test_without_the_row_nobody_writes(database: Database, observer: Connection) -> None:
    await observer.execute("DELETE FROM schema_demand")
    with pytest.raises(SchemaMissing, match="insert it again"):
        await apply(database, submitted())


@pytest.mark.usefixtures("_restored")
async def test_who_waited_for_a_migration_reads_what_it_demands(
    database: Database, observer: Connection, migrated_url: str
) -> None:
    demand = DEMAND.format(CODE_REVISION + 1)
    async with transaction_of_another(migrated_url, demand, commit=True):
        batch = asyncio.create_task(apply(database, submitted()))
        await until_waiting(observer, 1)
    with pytest.raises(CodeOutdated):
        await batch
    assert await observer.fetchval("SELECT count(*) FROM claim_events") == 0
