"""What was erased stays erased, whatever is under way, read again or restored."""

import asyncio
from typing import Any

from asyncpg import Connection

from repositories.claims.batch import Merged
from repositories.claims.verification import verify
from repositories.erasure import (
    ErasedPatient,
    ErasedProvider,
    erase_patient,
    erase_provider,
    export_erasures,
    import_erasures,
    lift_erasure,
)
from repositories.postgres.database import Database
from repositories.reports.profiles import ProviderUpdate, StoredProfiles, store_profiles
from repositories.reports.requests import RecordedRequests
from tests.integration.repositories.database_state import clear, dump
from tests.integration.repositories.examples import (
    apply,
    expected,
    next_offset,
    paid,
    settled,
    submitted,
    uuid_of,
)
from tests.integration.repositories.ledger import counts
from tests.integration.repositories.report_examples import P, Q, record, request
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

LOCK_CACHE = "SELECT FROM analytics_cache WHERE provider_id = $1 FOR UPDATE"
LOCK_PROVIDER = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
LOCK_OFFSETS = "LOCK TABLE consumer_offsets IN EXCLUSIVE MODE"

WHY = "asked for by the person"
NUMBER = "987654321"
NOBODY = ErasedProvider(0, 0, 0, [])
PROFILE = ProviderUpdate(P, 1, "Ada", "Roy", None, ())


async def left(observer: Connection) -> dict[str, Any]:
    """The tables that hold anything, the tombstones' own, offsets and the demand aside."""
    own = ("erasures", "erasure_keys", "consumer_offsets", "schema_demand")
    return {name: rows for name, rows in (await dump(observer)).items() if rows and name not in own}


async def numbers(observer: Connection) -> set[tuple[Any, ...]]:
    """Version, number and whether it is marked as erased, of claims and history."""
    rows = await observer.fetch(
        "SELECT claim_version, patient_phn, phn_erased_at IS NOT NULL FROM claims UNION ALL"
        " SELECT claim_version, patient_phn, phn_erased_at IS NOT NULL FROM claim_events"
    )
    return {tuple(row) for row in rows}


async def test_a_batch_that_is_half_done_leaves_nothing_of_a_provider_that_is_erased(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, submitted())
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_CACHE, P),
    ):
        group.create_task(apply(database, paid(), paid("B")))
        await until_waiting(observer, 1)
        erasing = group.create_task(erase_provider(database, P, WHY))
        await until_waiting(observer, 2)
    assert erasing.result() == ErasedProvider(claims=2, events=3, reports=0, files=[])
    assert await left(observer) == {}


async def test_so_does_the_first_batch_of_a_provider(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """It has made the provider's row, which nobody else sees yet."""
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_OFFSETS),
    ):
        group.create_task(apply(database, paid(), offsets=[next_offset(1)]))
        await until_waiting(observer, 1)
        group.create_task(erase_provider(database, P, WHY))
        await until_waiting(observer, 2)
    assert await left(observer) == {}


async def test_a_batch_that_waits_for_an_erasure_finds_the_tombstone(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, submitted())
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_CACHE, P),
    ):
        group.create_task(erase_provider(database, P, WHY))
        await until_waiting(observer, 1)
        late = group.create_task(apply(database, paid(), paid("theirs", provider="Q")))
        await until_waiting(observer, 2)
    assert counts(late.result()) == Merged(applied=1, erased=1)
    assert await settled(database, observer) == expected(paid("theirs", provider="Q"))
    assert await observer.fetch("SELECT FROM providers WHERE provider_id = $1", P) == []


async def test_a_request_that_is_half_done_leaves_nothing_either(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, submitted())
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_OFFSETS),
    ):
        asked = record(database, request(problem="Impossible."), offsets=[next_offset(1)])
        group.create_task(asked)
        await until_waiting(observer, 1)
        erasing = group.create_task(erase_provider(database, P, WHY))
        await until_waiting(observer, 2)
    assert erasing.result()
    assert await left(observer) == {}


async def test_nothing_of_an_erased_provider_is_taken_in_on_any_way(
    database: Database, observer: Connection
) -> None:
    """Until its erasure is lifted: then the same events count."""
    await apply(database, submitted(), paid())
    await erase_provider(database, P, WHY)
    assert await apply(database, submitted(), paid(), paid("new")) == Merged(erased=3)
    assert await store_profiles(database, [PROFILE], []) == StoredProfiles(0, 0, erased=1)
    assert await record(database, request()) == RecordedRequests(0, 0, erased=1)
    assert await left(observer) == {}
    assert await lift_erasure(database, P)
    assert (await apply(database, submitted(), paid())).applied == 2
    assert (await record(database, request())).created == 1


async def test_a_tombstone_says_why_and_names_nobody(
    database: Database, observer: Connection
) -> None:
    await apply(database, submitted(patient_phn=NUMBER))
    await erase_patient(database, NUMBER, WHY)
    await erase_provider(database, P, WHY)
    held = [tuple(row) for row in await observer.fetch("SELECT * FROM erasures, erasure_keys")]
    assert [row.count(WHY) for row in held] == [1, 1]
    for known in (P.bytes, uuid_of("claim A").bytes, NUMBER.encode()):
        assert known.hex() not in "".join(map(repr, held))
        assert not [row for row in held for value in row if value == known]


async def test_a_provider_that_nobody_knows_is_not_erased(
    database: Database, observer: Connection
) -> None:
    before = await dump(observer)
    assert await erase_provider(database, P, WHY) is None
    assert not await lift_erasure(database, P)
    assert await dump(observer) == before


async def test_erasing_again_changes_nothing(database: Database, observer: Connection) -> None:
    await apply(database, submitted())
    await erase_provider(database, P, WHY)
    before = await dump(observer)
    assert await erase_provider(database, P, "another reason") == NOBODY
    assert await dump(observer) == before


async def test_no_event_brings_the_number_of_an_erased_patient_back(
    database: Database, observer: Connection
) -> None:
    """Neither one that is read again, nor a late one, nor a new version of the claim."""
    first, second = submitted(version=2, patient_phn=NUMBER), paid(version=4, patient_phn=NUMBER)
    await apply(database, first)
    erased = await erase_patient(database, NUMBER, WHY)
    assert erased == ErasedPatient(claims=1, events=1, reports=0)
    assert await apply(database, first) == Merged(duplicate=1)
    late = submitted(version=1, patient_phn=NUMBER)
    assert counts(await apply(database, second, late)) == Merged(applied=1, stale=1)
    assert await numbers(observer) == {(1, None, True), (2, None, True), (4, None, True)}
    assert (await verify(database)).clean
    await apply(database, submitted("another", patient_phn="111111111"))
    assert (1, "111111111", False) in await numbers(observer)


async def test_another_patients_number_in_the_same_claim_stays_and_is_no_conflict(
    database: Database, observer: Connection
) -> None:
    """The publisher had taken the one for the other, and corrected it."""
    wrong, right = submitted(patient_phn=NUMBER), paid(patient_phn="111111111")
    await apply(database, wrong, right)
    await erase_patient(database, NUMBER, WHY)
    assert await apply(database, wrong, right) == Merged(duplicate=2)
    assert await numbers(observer) == {(1, None, True), (2, "111111111", False)}
    assert (await verify(database)).clean


async def test_a_batch_that_is_half_done_brings_no_number_of_a_patient_who_is_erased(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    """It begins, and has its provider, while the erasure waits for another provider."""
    one, other = sorted("PQ", key=lambda name: uuid_of(f"provider {name}"))
    seen = [submitted(name, provider=name, patient_phn=NUMBER) for name in (one, other)]
    await apply(database, *seen)
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_CACHE, uuid_of(f"provider {other}")),
    ):
        async with transaction_of_another(migrated_url, LOCK_PROVIDER, uuid_of(f"provider {one}")):
            group.create_task(erase_patient(database, NUMBER, WHY))
            await until_waiting(observer, 1)
            new = paid(other, provider=other, patient_phn=NUMBER)
            group.create_task(apply(database, new))
            await until_waiting(observer, 2)
        await until_waiting(observer, 2)
    assert {number for _, number, _ in await numbers(observer)} == {None}


async def test_nor_does_one_of_a_provider_who_had_not_seen_the_patient_before(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_OFFSETS),
    ):
        batch = apply(database, paid(patient_phn=NUMBER), offsets=[next_offset(1)])
        group.create_task(batch)
        await until_waiting(observer, 1)
        erasing = group.create_task(erase_patient(database, NUMBER, WHY))
        await until_waiting(observer, 2)
    assert erasing.result().claims == 1
    assert await numbers(observer) == {(2, None, True)}


async def test_an_imported_list_erases_again_what_a_restore_brought_back_and_what_comes_later(
    database: Database, observer: Connection
) -> None:
    events = [
        submitted(),
        submitted("B", provider="Q", patient_phn=NUMBER),
        submitted("C", provider="Q", patient_phn=NUMBER),
    ]
    await apply(database, *events)
    await erase_provider(database, P, WHY)
    await erase_patient(database, NUMBER, WHY)
    exported = await export_erasures(database)
    await clear(observer)
    # A backup from before the erasures, in which one claim had not come yet; and one erasure since.
    await apply(database, *events[:2], submitted("D", provider="R"))
    await erase_provider(database, uuid_of("provider R"), WHY)
    done = await import_erasures(database, exported)
    assert (done.added, len(done.providers), done.patients.claims) == (3, 1, 1)
    assert counts(await apply(database, *events)) == Merged(applied=1, duplicate=1, erased=1)
    assert await numbers(observer) == {(1, None, True)}
    assert await observer.fetchval("SELECT array_agg(provider_id) FROM providers") == [Q]
    assert (await verify(database)).clean
    again = await import_erasures(database, exported)
    assert (again.added, again.providers, again.patients.claims) == (0, [], 0)


async def test_an_imported_list_also_reaches_a_batch_that_is_half_done(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, submitted())
    await erase_provider(database, P, WHY)
    exported = await export_erasures(database)
    await clear(observer)
    async with (
        asyncio.TaskGroup() as group,
        transaction_of_another(migrated_url, LOCK_OFFSETS),
    ):
        group.create_task(apply(database, submitted(), offsets=[next_offset(1)]))
        await until_waiting(observer, 1)
        group.create_task(import_erasures(database, exported))
        await until_waiting(observer, 2)
    assert await left(observer) == {}
