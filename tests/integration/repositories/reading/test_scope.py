"""Nothing but one provider's rows is seen, whatever is asked, and nothing of that stays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from repositories.errors import DatabaseRefused, RepositoryError
from repositories.postgres.database import Database
from repositories.reading.grant import ensure_reader
from repositories.reading.scope import ReadingDatabase
from service.local.stack.workspace import Workspace
from tests.harness.pgbouncer import PgBouncer, needs_pgbouncer
from tests.integration.repositories.examples import apply, paid
from tests.integration.repositories.reading.conftest import READER, Grant
from tests.integration.repositories.report_examples import P, Q, record, request

REQUESTS = 10_000
TABLES = ("analytics_cache", "generated_reports", "claims", "claim_events", "providers")
# Whoever wrote this has forgotten whose rows were asked for.
FORGETFUL = text("SELECT array_agg(DISTINCT provider_id) FROM analytics_cache")
STATE = "SELECT current_user::text, current_setting('app.provider_id', true)"


@asynccontextmanager
async def reading(url: str, *, pooled: bool = False) -> AsyncIterator[ReadingDatabase]:
    """Over one connection."""
    database = ReadingDatabase(url, pooled=pooled, pool_size=1, seconds=30)
    try:
        yield database
    finally:
        await database.close()


async def fill(url: str) -> None:
    database = Database(url)
    await apply(database, paid("A", provider="P"), paid("B", provider="Q"))
    await record(database, request("A", "P"), request("B", "Q"))
    await database.close()


async def seen(database: ReadingDatabase, provider: UUID) -> list[UUID]:
    async with database.scope(provider) as connection:
        return list(await connection.scalar(FORGETFUL) or [])


async def test_ten_thousand_requests_of_alternating_providers_see_their_own_rows_alone(
    owned_url: str, grant: Grant
) -> None:
    """And nobody's for one who has none. Over one connection, with plans that are kept."""
    await fill(owned_url)
    grant(str(await ensure_reader(owned_url)))
    async with reading(owned_url) as database:
        for number in range(REQUESTS):
            asks = (P, Q, uuid4())[number % 3]
            assert await seen(database, asks) == ([asks] if asks in (P, Q) else [])
        owner = urlsplit(owned_url).username
        async with database._engine.connect() as connection:
            assert tuple((await connection.execute(text(STATE))).one()) == (owner, "")


async def test_every_table_that_is_read_hides_the_others_rows(owned_url: str, grant: Grant) -> None:
    await fill(owned_url)
    grant(str(await ensure_reader(owned_url)))
    async with reading(owned_url) as database, database.scope(P) as connection:
        for table in TABLES:
            found = await connection.scalars(text(f"SELECT DISTINCT provider_id FROM {table}"))
            assert list(found) == [P], table


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT file_path FROM generated_reports",
        "SELECT * FROM generated_reports",
        "SELECT * FROM report_jobs",
        "UPDATE generated_reports SET downloaded = true",
        "SELECT count(*) FROM operator_actions",
    ],
)
async def test_what_is_not_for_readers_is_refused_and_the_connection_goes_on(
    owned_url: str, grant: Grant, statement: str
) -> None:
    await fill(owned_url)
    grant(str(await ensure_reader(owned_url)))
    async with reading(owned_url) as database:
        with pytest.raises(RepositoryError):
            async with database.scope(P) as connection:
                await connection.execute(text(statement))
        assert await seen(database, Q) == [Q]


async def test_who_may_not_take_the_role_is_told_and_what_to_say(
    owned_url: str, grant: Grant
) -> None:
    async with reading(owned_url) as database:
        with pytest.raises(DatabaseRefused, match="claim-analytics migrate"):
            await seen(database, P)
        statement = await ensure_reader(owned_url)
        assert statement is not None
        grant(statement)
        assert await seen(database, P) == []
    assert await ensure_reader(owned_url) is None


async def test_who_may_grant_it_does(owned_url: str, grant: Grant) -> None:
    """As who created the role: it may pass it on, and not take it."""
    owner = urlsplit(owned_url).username
    grant(f"GRANT {READER} TO {owner} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    assert await ensure_reader(owned_url) is None
    async with reading(owned_url) as database:
        assert await seen(database, P) == []


@needs_pgbouncer
async def test_nothing_of_it_stays_in_a_session_that_a_pooler_gives_to_others(
    owned_url: str, grant: Grant
) -> None:
    await fill(owned_url)
    grant(str(await ensure_reader(owned_url)))
    with Workspace() as workspace:
        pooler = PgBouncer(workspace, owned_url, pool_mode="transaction", default_pool_size="1")
        pooler.start()
        other = await asyncpg.connect(pooler.url, statement_cache_size=0)
        async with reading(pooler.url, pooled=True) as database:
            for provider in (P, Q, P):
                assert await seen(database, provider) == [provider]
                found = await other.fetchrow(STATE)
                assert tuple(found) == (urlsplit(owned_url).username, "")
        await other.close()
        pooler.stop()
