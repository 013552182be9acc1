"""Months before the cache's horizon: history and claims stay, figures leave them out."""

import asyncio
from datetime import date

import pytest
from asyncpg import Connection

from repositories.claims.batch import HORIZON_LOCK
from repositories.claims.top_code_flush import flush_top_codes
from repositories.claims.verification import verify
from repositories.postgres.database import Database
from tests.integration.repositories.examples import apply, expected, paid, settled, submitted
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

HORIZON = date(2024, 10, 1)
SET_HORIZON = "INSERT INTO cache_horizon (first_month) VALUES ('2024-10-01')"
MOVE_HORIZON = f"SELECT pg_advisory_xact_lock({HORIZON_LOCK}); {SET_HORIZON}"
BEFORE, AFTER = "2024-09-30", "2024-10-01"


async def test_earlier_months_have_history_and_claims_and_no_figures(
    database: Database, observer: Connection
) -> None:
    await observer.execute(SET_HORIZON)
    events = (paid("A", date_of_service=BEFORE), paid("B", date_of_service=AFTER))
    await apply(database, *events)
    assert await settled(database, observer) == expected(*events, first_month=HORIZON)
    assert (await verify(database)).clean


@pytest.mark.parametrize("moves", [(BEFORE, AFTER), (AFTER, BEFORE)], ids=["in", "out"])
async def test_a_claim_that_moves_over_the_horizon_counts_on_one_side_only(
    database: Database, observer: Connection, moves: tuple[str, str]
) -> None:
    await observer.execute(SET_HORIZON)
    events = [paid(version=n, date_of_service=day) for n, day in enumerate(moves, start=1)]
    for event in events:
        await apply(database, event)
        await flush_top_codes(database)
    assert await settled(database, observer) == expected(*events, first_month=HORIZON)
    assert (await verify(database)).clean


async def test_a_month_before_the_horizon_is_not_compared_and_its_days_are(
    database: Database, observer: Connection
) -> None:
    """Its rows are still there until their provider's turn comes, and say what was."""
    await apply(database, submitted(date_of_service=BEFORE))
    await observer.execute(SET_HORIZON)
    await observer.execute("UPDATE analytics_cache SET value = '{}'")
    wrong = (await verify(database)).wrong_rows
    assert {row.metric_key for row in wrong} == {"aging_brackets"}


async def test_a_batch_waits_while_the_horizon_moves_and_then_keeps_to_it(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    event = paid(date_of_service=BEFORE)
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, MOVE_HORIZON, commit=True),
    ):
        group.create_task(apply(database, event))
        await until_waiting(observer, 1)
    found = await settled(database, observer)
    assert found == expected(event, first_month=HORIZON)
    assert not found.analytics_cache


async def test_the_horizon_cannot_move_while_a_batch_is_under_way(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, submitted())
    free = f"SELECT pg_try_advisory_xact_lock({HORIZON_LOCK})"
    async with asyncio.TaskGroup() as group:
        lock = "SELECT FROM analytics_cache FOR UPDATE"
        async with transaction_of_another(migrated_url, lock):
            batch = group.create_task(apply(database, paid()))
            await until_waiting(observer, 1)
            assert not await observer.fetchval(free)
        await batch
        assert await observer.fetchval(free)
