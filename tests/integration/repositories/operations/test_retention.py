"""Old claims are removed whole, and what topics still hold of them changes nothing."""

import asyncio
from datetime import date
from typing import Any

from asyncpg import Connection

from repositories.claims.batch import Merged
from repositories.claims.verification import verify
from repositories.erasure import erase_patient
from repositories.operations.retention import OldYear, Removed, old_claims, remove_old_claims
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import (
    apply,
    expected,
    paid,
    rejected,
    saved,
    settled,
    submitted,
    uuid_of,
)
from tests.integration.repositories.waiting import transaction_of_another, until_waiting
from tests.strategies import EventSpec

P = uuid_of("provider P")
HORIZON, BEFORE = date(2024, 10, 1), date(2024, 1, 1)
SET_HORIZON = "INSERT INTO cache_horizon (first_month) VALUES ('2024-10-01')"
LOCK_PROVIDER = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
OLD, LATER, NEW = "2023-12-31", "2024-01-01", "2024-10-15"
# A was paid, B waits for its payer and C in a drawer since then: no month covers that, but days do.
OLD_CLAIMS = (
    submitted("A", date_of_service=OLD),
    paid("A", date_of_service=OLD),
    submitted("B", date_of_service=OLD),
    saved("C", date_of_service=OLD),
)
OTHERS = (
    submitted("D", date_of_service=LATER),
    rejected("E", version=1, date_of_service=NEW),
    paid("F", provider="Q", date_of_service=OLD),
)
LETTER = """
    INSERT INTO dead_letters (source_topic, source_partition, source_offset, source_timestamp,
        reason, detail, consumer_group, claim_id)
    VALUES ('claim-paid', 0, $1, now(), 'invalid-field', 'a field', 'group', $2)
"""


async def remove(database: Database, before: date = BEFORE) -> Removed:
    return await remove_old_claims(database, P, before, "over its time")


async def everything(observer: Connection) -> dict[str, Any]:
    return {name: rows for name, rows in (await dump(observer)).items() if rows}


async def prepared(database: Database, observer: Connection) -> None:
    await observer.execute(SET_HORIZON)
    await apply(database, *OLD_CLAIMS, *OTHERS)


async def test_claims_go_whole_and_their_redelivery_changes_nothing(
    database: Database, observer: Connection
) -> None:
    await prepared(database, observer)
    for offset, claim in enumerate("AD"):
        await observer.execute(LETTER, offset, uuid_of(f"claim {claim}"))
    assert await old_claims(database, BEFORE) == [OldYear(2023, 2, 4, 5)]
    assert await remove(database) == Removed(claims=3, events=4, letters=1)
    assert await remove(database) == Removed()
    assert await settled(database, observer) == expected(*OTHERS, first_month=HORIZON)
    assert (await verify(database)).clean
    assert await observer.fetchval("SELECT count(*) FROM repaired_rows") == 0
    before = await everything(observer)
    late: tuple[EventSpec, ...] = (
        paid("A", version=9, date_of_service=NEW),
        paid("B", provider="Q"),
    )
    again = (*OLD_CLAIMS, *OTHERS, *late)
    assert await apply(database, *again) == Merged(duplicate=len(again))
    assert await everything(observer) == before


async def test_what_the_figures_cover_stays_whatever_is_asked_for(
    database: Database, observer: Connection
) -> None:
    await prepared(database, observer)
    assert (await remove(database, date(2100, 1, 1))).claims == 4  # D too, and not E
    assert await settled(database, observer) == expected(*OTHERS[1:], first_month=HORIZON)


async def test_without_a_horizon_nothing_goes(database: Database, observer: Connection) -> None:
    await apply(database, *OLD_CLAIMS)
    before = await everything(observer)
    assert await old_claims(database, BEFORE) == []
    assert await remove(database) == Removed()
    assert await everything(observer) == before


async def test_a_claim_that_had_lost_a_patients_number_is_removed_all_the_same(
    database: Database, observer: Connection
) -> None:
    await prepared(database, observer)
    await erase_patient(database, "123456789", "asked for")
    await remove(database)
    assert await apply(database, *OLD_CLAIMS) == Merged(duplicate=4)
    await apply(database, paid("D", date_of_service=LATER))
    numbers = await observer.fetch("SELECT DISTINCT patient_phn FROM claim_events")
    assert [row["patient_phn"] for row in numbers] == [None]


async def test_a_batch_that_waits_for_the_removal_finds_duplicates(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await prepared(database, observer)
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_PROVIDER, P),
    ):
        removing = group.create_task(remove(database))
        await until_waiting(observer, 1)
        batch = group.create_task(apply(database, paid("A", version=3, date_of_service=OLD)))
        await until_waiting(observer, 2)
    assert removing.result().claims == 3
    assert batch.result() == Merged(duplicate=1)


async def test_the_removal_takes_along_what_a_batch_brings_that_it_waits_for(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await prepared(database, observer)
    lock = "SELECT FROM claims WHERE provider_id = $1 FOR UPDATE"
    async with asyncio.TaskGroup() as group, transaction_of_another(migrated_url, lock, P):
        group.create_task(apply(database, paid("A", version=3, date_of_service=OLD)))
        await until_waiting(observer, 1)
        removing = group.create_task(remove(database))
        await until_waiting(observer, 2)
    assert removing.result() == Removed(claims=3, events=5)
    assert await settled(database, observer) == expected(*OTHERS, first_month=HORIZON)
