"""The floor: `claim-analytics run --drain` with batches that are stored and not counted.

Everything is the service's own, up to the merge statement, from which the steps that write
`analytics_cache` are left out.
"""

from collections.abc import Sequence
from dataclasses import replace

from consumers.claims import CLAIM_SUBSCRIPTIONS
from consumers.handler import Outcome
from repositories.claim_batches import merge_events
from repositories.claim_rows import ClaimEventRow
from repositories.consumer_offsets import NextOffset, store_offsets
from repositories.database import Database
from service.cli.common import load_settings, run_async
from service.cli.run import run_service


async def store(
    database: Database, events: Sequence[ClaimEventRow], offsets: Sequence[NextOffset]
) -> Outcome:
    async with database.transaction() as connection:
        merged = await merge_events(connection, events, with_metrics=False)
        await store_offsets(connection, offsets)
    return Outcome(merged.applied, merged.stale, merged.duplicate)


if __name__ == "__main__":
    subscriptions = [replace(subscription, handle=store) for subscription in CLAIM_SUBSCRIPTIONS]
    run_async(run_service(load_settings(), subscriptions, drain=True))
