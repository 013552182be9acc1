"""The floor: `claim-analytics run --drain` with batches that are stored and not counted.

Everything is the service's own, up to the merge statement, from which the steps that write
`analytics_cache` are left out.
"""

from collections.abc import Sequence
from dataclasses import replace

from consumers.engine.subscription import Judge, Outcome
from consumers.topics.claims import CLAIMS
from repositories.claims.batch import merge_events
from repositories.offsets import NextOffset, store_offsets
from repositories.operations.letters import NO_LETTERS, BatchLetters
from repositories.postgres.database import Database
from service.cli.common import load_settings, run_async
from service.cli.run import run_service


async def store(
    database: Database,
    events: Sequence[bytes],
    offsets: Sequence[NextOffset],
    _: Judge,
    __: BatchLetters = NO_LETTERS,
) -> Outcome:
    async with database.transaction() as connection:
        merged = await merge_events(connection, events, with_metrics=False)
        await store_offsets(connection, offsets)
    return Outcome(merged.applied, merged.stale, merged.duplicate)


if __name__ == "__main__":
    run_async(run_service(load_settings(), [replace(CLAIMS, handle=store)], drain=True))
