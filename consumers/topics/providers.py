"""The topic of providers' profiles: the highest version of each counts."""

from collections.abc import Sequence

from consumers.contracts.decode import decode_event
from consumers.contracts.providers import ProviderUpdated
from consumers.contracts.refusal import DeadLetter, Record
from consumers.contracts.registry import PROVIDER_UPDATED
from consumers.engine.subscription import Judge, Outcome, one_topic
from repositories.offsets import NextOffset
from repositories.operations.letters import NO_LETTERS, BatchLetters
from repositories.postgres.database import Database
from repositories.reports.profiles import ProviderUpdate, store_profiles
from repositories.reports.rows import Location


def decode_provider_update(record: Record) -> ProviderUpdate | DeadLetter:
    """Pure, and raises nothing."""
    return decode_event(record, PROVIDER_UPDATED, lambda _, data: _update(data))


async def store_provider_updates(
    database: Database,
    events: Sequence[ProviderUpdate],
    offsets: Sequence[NextOffset],
    _: Judge,
    letters: BatchLetters = NO_LETTERS,
) -> Outcome:
    """Store a batch of profiles; a version that is not higher than the stored one is stale."""
    stored = await store_profiles(database, events, offsets, letters)
    return Outcome(applied=stored.applied, stale=stored.stale, erased=stored.erased)


PROVIDER_UPDATES = one_topic(PROVIDER_UPDATED.topic, decode_provider_update, store_provider_updates)


def _update(data: ProviderUpdated) -> ProviderUpdate:
    return ProviderUpdate(
        provider_id=data.provider_id,
        provider_version=data.provider_version,
        first_name=data.first_name,
        last_name=data.last_name,
        billing_number=data.billing_number,
        locations=tuple(
            Location(place.location_id, place.name, place.rrnp_rate) for place in data.locations
        ),
    )
