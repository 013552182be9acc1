"""The highest version of a provider's profile counts, in whatever order versions come."""

import asyncio
from decimal import Decimal
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from asyncpg import Connection

from repositories.errors import DatabaseRefused
from repositories.offsets import stored_offset
from repositories.postgres.database import Database
from repositories.reports.profiles import (
    ProviderUpdate,
    StoredProfiles,
    read_profile,
    store_profiles,
)
from repositories.reports.rows import Location, ProviderProfile
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import TOPIC, apply, next_offset, paid, uuid_of
from tests.integration.repositories.waiting import transaction_of_another, until_waiting

P, Q = uuid_of("provider P"), uuid_of("provider Q")
LOCATIONS = (
    Location(uuid_of("clinic"), "Nguyễn Clinic", Decimal("12.50")),
    Location(uuid_of("hospital"), "Łódź Hospital"),
)


def update(version: int = 1, provider: str = "P", **given: Any) -> ProviderUpdate:
    usual: dict[str, Any] = {
        "first_name": f"Łukasz {version}",
        "last_name": "Đặng",
        "billing_number": "0123-45678",
        "locations": LOCATIONS,
    }
    return ProviderUpdate(uuid_of(f"provider {provider}"), version, **(usual | given))


def profile(of: ProviderUpdate) -> ProviderProfile:
    return ProviderProfile(
        of.provider_id, of.first_name, of.last_name, of.billing_number, of.locations
    )


async def read(database: Database, provider_id: UUID = P) -> ProviderProfile:
    async with database.transaction() as connection:
        return await read_profile(connection, provider_id)


async def test_a_profile_is_read_as_it_was_stored(database: Database) -> None:
    assert await store_profiles(database, [update()], []) == StoredProfiles(applied=1, stale=0)
    assert await read(database) == profile(update())


async def test_a_profile_may_be_sparse(database: Database) -> None:
    sparse = update(billing_number=None, locations=())
    await store_profiles(database, [sparse], [])
    assert await read(database) == profile(sparse)


async def test_a_provider_that_is_known_by_claims_alone_has_only_an_id(database: Database) -> None:
    await apply(database, paid())
    assert await read(database) == ProviderProfile(P)
    assert await read(database, uuid_of("nobody")) == ProviderProfile(uuid_of("nobody"))


async def test_the_profile_of_a_provider_known_by_claims_is_stored(database: Database) -> None:
    await apply(database, paid())
    assert await store_profiles(database, [update()], []) == StoredProfiles(1, 0)
    await apply(database, paid(version=3))
    assert await read(database) == profile(update())


@pytest.mark.parametrize("order", list(permutations([1, 2, 3])))
@pytest.mark.parametrize("batched", [True, False])
async def test_the_highest_version_wins_in_any_order(
    database: Database, order: tuple[int, ...], batched: bool
) -> None:
    updates = [update(version) for version in order]
    for batch in [updates] if batched else [[one] for one in updates]:
        await store_profiles(database, batch, [])
    assert await read(database) == profile(update(3))


@pytest.mark.parametrize("version", [5, 4, -(2**63)])
async def test_a_version_that_is_not_higher_changes_nothing(
    database: Database, observer: Connection, version: int
) -> None:
    await store_profiles(database, [update(5)], [])
    before = await dump(observer)
    late = update(version, first_name="Late")
    assert await store_profiles(database, [late, late], []) == StoredProfiles(applied=0, stale=2)
    assert await dump(observer) == before


async def test_each_event_of_a_batch_is_applied_or_stale(database: Database) -> None:
    batch = [update(1), update(3), update(2), update(1, "Q")]
    assert await store_profiles(database, batch, []) == StoredProfiles(applied=2, stale=2)


async def test_a_batch_of_thousands_is_stored_whole(
    database: Database, observer: Connection
) -> None:
    batch = [update(1, f"{n}") for n in range(2_500)]
    assert await store_profiles(database, batch, []) == StoredProfiles(2_500, 0)
    assert await observer.fetchval("SELECT count(*) FROM providers") == 2_500


async def test_offsets_are_stored_with_the_profiles(database: Database) -> None:
    await store_profiles(database, [update()], [next_offset(8)])
    assert await stored_offset(database, "group", TOPIC, 0) == 8
    await store_profiles(database, [], [next_offset(9)])
    assert await stored_offset(database, "group", TOPIC, 0) == 9


async def test_a_batch_that_fails_leaves_nothing(database: Database, observer: Connection) -> None:
    before = await dump(observer)
    batch = [update(), update(1, "Q", billing_number="longer than 10")]
    with pytest.raises(DatabaseRefused):
        await store_profiles(database, batch, [next_offset(8)])
    assert await dump(observer) == before


async def test_two_batches_that_meet_leave_the_highest_versions(
    migrated_url: str, database: Database
) -> None:
    await store_profiles(database, [update(1, f"{n}") for n in range(50)], [])
    old = [update(2, f"{n}") for n in range(50)]
    new = [update(3, f"{n}") for n in reversed(range(50))]
    await asyncio.gather(store_profiles(database, old, []), store_profiles(database, new, []))
    for n in range(50):
        assert await read(database, uuid_of(f"provider {n}")) == profile(update(3, f"{n}"))


async def test_a_profile_waits_for_a_batch_of_claims_and_then_counts(
    migrated_url: str, database: Database, observer: Connection
) -> None:
    await apply(database, paid())
    lock = "SELECT FROM providers WHERE provider_id = $1 FOR NO KEY UPDATE"
    async with transaction_of_another(migrated_url, lock, P):
        stored = asyncio.create_task(store_profiles(database, [update()], []))
        await until_waiting(observer, 1)
    assert await stored == StoredProfiles(1, 0)
    assert await read(database) == profile(update())
