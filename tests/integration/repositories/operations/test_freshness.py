"""Since when a provider's figures are known to be right, and who is not confirmed."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from asyncpg import Connection

from repositories.erasure import erase_provider
from repositories.operations.freshness import freshness_of
from repositories.postgres.database import Database
from tests.integration.repositories.examples import apply, paid, submitted, uuid_of
from tests.integration.repositories.suggestion_examples import apply_suggestions, suggestion
from tests.integration.repositories.test_filling import left_by_an_older_version

P, Q = uuid_of("provider P"), uuid_of("provider Q")
AGE = "UPDATE provider_freshness SET confirmed_at = now() - make_interval(secs => $1)"


async def confirmed(observer: Connection) -> dict[UUID, datetime]:
    rows = await observer.fetch("SELECT provider_id, confirmed_at FROM provider_freshness")
    return {row["provider_id"]: row["confirmed_at"] for row in rows}


async def fresh(database: Database, **minutes: int) -> dict[str, bool]:
    """By the names of providers; of those that are known."""
    ids = {name: uuid_of(f"provider {name}") for name in minutes}
    async with database.transaction() as connection:
        found = await freshness_of(connection, {ids[name]: minutes[name] for name in minutes})
    return {name: found[its_id] for name, its_id in ids.items() if its_id in found}


async def test_a_batch_confirms_its_providers_in_its_transaction(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(), submitted("B", provider="Q"))
    at = await observer.fetchval("SELECT max(applied_at) FROM claim_events")
    assert await confirmed(observer) == {P: at, Q: at}


async def test_so_does_one_of_the_coach(database: Database, observer: Connection) -> None:
    await apply_suggestions(database, suggestion())
    assert set(await confirmed(observer)) == {P}


@pytest.mark.parametrize(("seconds", "moves"), [(30, False), (90, True)])
async def test_batches_of_one_minute_move_it_once(
    database: Database, observer: Connection, seconds: int, moves: bool
) -> None:
    await apply(database, submitted())
    await observer.execute(AGE, seconds)
    before = (await confirmed(observer))[P]
    await apply(database, paid())
    assert ((await confirmed(observer))[P] > before) is moves


async def test_figures_that_are_not_all_filled_in_yet_are_neither_confirmed_nor_fresh(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted())
    await left_by_an_older_version(observer)
    assert await fresh(database, P=60) == {"P": False}
    await observer.execute("DELETE FROM provider_freshness")
    await apply(database, paid())
    assert await confirmed(observer) == {}


async def test_an_erased_provider_is_not_known(database: Database, observer: Connection) -> None:
    await apply(database, submitted())
    await erase_provider(database, P, "asked for")
    await apply(database, paid())
    assert await confirmed(observer) == {}
    assert await fresh(database, P=60) == {}


async def test_fresh_is_what_was_confirmed_within_the_minutes_that_are_asked_for(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(), submitted("B", provider="Q"))
    await observer.execute(AGE, timedelta(minutes=10).total_seconds())
    assert await fresh(database, P=9, Q=11, R=60) == {"P": False, "Q": True}
