"""What is known of providers beyond their claims; the highest version of a profile counts."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.offsets import NextOffset, store_offsets
from repositories.operations.letters import NO_LETTERS, BatchLetters, not_erased, record_letters
from repositories.postgres.database import Database
from repositories.reports.rows import Location, ProviderProfile
from repositories.tables import providers
from repositories.tombstones import erased_providers

PROFILE = ("provider_version", "first_name", "last_name", "billing_number", "locations")


class ProviderUpdate(NamedTuple):
    """A provider's whole profile as it stands after a change; `billing_number` may be unknown."""

    provider_id: UUID
    provider_version: int
    first_name: str
    last_name: str
    billing_number: str | None
    locations: tuple[Location, ...]


class StoredProfiles(NamedTuple):
    """What became of a batch.

    `stale` came after the same or a higher version; `erased` is of a provider that was erased.
    """

    applied: int
    stale: int
    erased: int = 0


async def store_profiles(
    database: Database,
    updates: Sequence[ProviderUpdate],
    offsets: Sequence[NextOffset],
    letters: BatchLetters = NO_LETTERS,
) -> StoredProfiles:
    """Store the newest profiles, and `letters` and `offsets`, in one transaction.

    Raises RepositoryErrors; after any of them nothing has changed.
    """
    async with database.transaction() as connection:
        dead = await not_erased(connection, letters.dead)
        erased = await erased_providers(connection, {it.provider_id for it in updates})
        kept = [update for update in updates if update.provider_id not in erased]
        applied = await _store(connection, _newest(kept)) if kept else 0
        await record_letters(connection, letters, dead)
        await store_offsets(connection, offsets)
    return StoredProfiles(applied, len(kept) - applied, len(updates) - len(kept))


async def read_profile(connection: AsyncConnection, provider_id: UUID) -> ProviderProfile:
    """The provider as far as known: at least the id."""
    known = select(providers).where(providers.c.provider_id == provider_id)
    row = (await connection.execute(known)).one_or_none()
    if row is None:
        return ProviderProfile(provider_id)
    locations = tuple(_location(stored) for stored in row.locations or ())
    return ProviderProfile(
        provider_id, row.first_name, row.last_name, row.billing_number, locations
    )


def _newest(updates: Iterable[ProviderUpdate]) -> list[ProviderUpdate]:
    """The highest version of each provider, of twins the first, in order of the providers."""
    newest: dict[UUID, ProviderUpdate] = {}
    for update in updates:
        known = newest.setdefault(update.provider_id, update)
        if update.provider_version > known.provider_version:
            newest[update.provider_id] = update
    return [newest[provider_id] for provider_id in sorted(newest)]


async def _store(connection: AsyncConnection, updates: Iterable[ProviderUpdate]) -> int:
    """Locks providers in order, as every batch does. A lower version than the stored is no news."""
    statement = insert(providers)
    new, known = statement.excluded, providers.c.provider_version
    newer = statement.on_conflict_do_update(
        index_elements=["provider_id"],
        set_={name: new[name] for name in PROFILE},
        where=or_(known.is_(None), known < new.provider_version),
    )
    rows = [{**update._asdict(), "locations": _stored(update.locations)} for update in updates]
    stored = await connection.execute(newer.returning(providers.c.provider_id), rows)
    return len(stored.all())


def _stored(locations: Iterable[Location]) -> list[dict[str, Any]]:
    return [
        {
            "location_id": str(location.location_id),
            "name": location.name,
            "rrnp_rate": None if location.rrnp_rate is None else str(location.rrnp_rate),
        }
        for location in locations
    ]


def _location(stored: dict[str, Any]) -> Location:
    rate = stored["rrnp_rate"]
    return Location(
        UUID(stored["location_id"]), stored["name"], None if rate is None else Decimal(rate)
    )
