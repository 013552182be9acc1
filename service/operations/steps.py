"""Going through providers, step by step, with patience for those who have them."""

import time
from collections.abc import AsyncGenerator

from repositories.errors import LockNotAvailable
from repositories.postgres.database import Database
from repositories.recomputation.passes import Pass, Step

PATIENCE_SECONDS = 120.0  # for a provider that somebody else keeps


async def steps(way: Pass, database: Database) -> AsyncGenerator[Step]:
    """What each transaction did, until no provider is left.

    Each try waits a second for a lock, and batches have providers for less than that. Raises
    LockNotAvailable if somebody keeps one for two minutes, or another RepositoryError; what was
    done until then stays done, up to `way.position`.
    """
    advanced = time.monotonic()
    while True:
        try:
            step = await way.step(database)
        except LockNotAvailable:
            if time.monotonic() - advanced > PATIENCE_SECONDS:
                raise
            continue
        if step is None:
            return
        advanced = time.monotonic()
        yield step
