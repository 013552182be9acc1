"""The topic of providers' profiles: the highest version of each counts."""

from collections.abc import Sequence

from consumers.contracts.provider_updated import ProviderUpdated
from consumers.contracts.registry import PROVIDER_UPDATED
from consumers.dead_letters import DeadLetter, Record, RefusedError
from consumers.decode import read_event
from consumers.handler import Outcome, Subscription
from repositories.consumer_offsets import NextOffset
from repositories.database import Database
from repositories.provider_profiles import ProviderUpdate, store_profiles
from repositories.report_rows import Location


def decode_provider_update(record: Record) -> ProviderUpdate | DeadLetter:
    """Pure, and raises nothing."""
    try:
        _, data = read_event(record, PROVIDER_UPDATED)
    except RefusedError as refusal:
        return DeadLetter(refusal.reason, refusal.detail, record)
    return _update(data)


async def store_provider_updates(
    database: Database, events: Sequence[ProviderUpdate], offsets: Sequence[NextOffset]
) -> Outcome:
    """Store a batch of profiles; a version that is not higher than the stored one is stale."""
    stored = await store_profiles(database, events, offsets)
    return Outcome(applied=stored.applied, stale=stored.stale)


PROVIDER_UPDATES = Subscription(
    PROVIDER_UPDATED.topic, decode_provider_update, store_provider_updates
)


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
