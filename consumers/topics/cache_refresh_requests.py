"""The topic of requests to look after a provider's figures, since somebody looks at them.

One that is fresh costs a look-up. The others are recomputed one after the other, each in a
transaction of its own, whatever the number of requests for it: what is done stays done if the
batch is broken off, and is fresh when it comes again.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from consumers.contracts.decode import decode_event
from consumers.contracts.refusal import DeadLetter, Record
from consumers.contracts.registry import CACHE_REFRESH_REQUEST
from consumers.engine.subscription import Judge, Outcome, Subscription
from repositories.offsets import NextOffset, store_offsets
from repositories.operations.freshness import freshness_of
from repositories.operations.letters import NO_LETTERS, BatchLetters, not_erased, record_letters
from repositories.operations.stale import recompute_if_stale
from repositories.postgres.database import Database

log = logging.getLogger(__name__)


class RefreshRequest(NamedTuple):
    """Confirm the provider's figures if they were not within so many minutes."""

    provider_id: UUID
    max_minutes: int


def decode_refresh_request(record: Record) -> RefreshRequest | DeadLetter:
    """Pure, and raises nothing."""
    return decode_event(
        record,
        CACHE_REFRESH_REQUEST,
        lambda _, data: RefreshRequest(data.provider_id, data.max_age_minutes),
    )


async def refresh_stale_providers(
    database: Database,
    events: Sequence[RefreshRequest],
    offsets: Sequence[NextOffset],
    _: Judge,
    letters: BatchLetters = NO_LETTERS,
) -> Outcome:
    """Recompute what is stale, then record dead letters and store the offsets.

    Of each provider that was recomputed one request is counted as applied; its others, and those
    for fresh ones, as duplicates; those for providers that are not known as erased.
    """
    asked: dict[UUID, int] = {}
    for provider_id, minutes in events:
        asked[provider_id] = min(minutes, asked.get(provider_id, minutes))
    async with database.transaction() as connection:
        fresh = await freshness_of(connection, asked)
    recomputed = 0
    for provider_id in sorted(provider_id for provider_id in fresh if not fresh[provider_id]):
        repaired = await recompute_if_stale(database, provider_id, asked[provider_id])
        recomputed += repaired is not None
        if repaired:
            log.error(
                "%d rows of analytics_cache were wrong and are repaired: look at repaired_rows, and"
                " report it as a bug unless somebody changed rows by hand",
                repaired,
                extra={"provider_id": str(provider_id)},
            )
    async with database.transaction() as connection:
        dead = await not_erased(connection, letters.dead)
        await record_letters(connection, letters, dead)
        await store_offsets(connection, offsets)
    known = sum(event.provider_id in fresh for event in events)
    return Outcome(applied=recomputed, duplicate=known - recomputed, erased=len(events) - known)


CACHE_REFRESH_REQUESTS = Subscription(
    CACHE_REFRESH_REQUEST.topic,
    {CACHE_REFRESH_REQUEST.topic: decode_refresh_request},
    refresh_stale_providers,
    optional=True,  # not every platform sends such requests
)
