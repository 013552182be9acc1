"""Recomputing a provider's figures because somebody looks at them and they may be stale."""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from repositories.claims.batch import HORIZON_LOCK
from repositories.operations.freshness import confirm_recomputed, freshness_of
from repositories.postgres.database import WITHOUT_LIMITS, Database
from repositories.recomputation.recompute import Scope, recompute
from repositories.tables import providers

FOUND_BY: Final = "cache-refresh-request"


async def recompute_if_stale(database: Database, provider_id: UUID, max_minutes: int) -> int | None:
    """Recompute and confirm all figures of a provider that were not confirmed within so many
    minutes; how many rows were wrong, None where there was nothing to do.

    It looks again once it holds the provider, so of several at once one recomputes.
    """
    lock = select(providers.c.provider_id).where(providers.c.provider_id == provider_id)
    async with database.transaction() as connection:
        await connection.execute(select(func.pg_advisory_xact_lock_shared(HORIZON_LOCK)))
        locked = (await connection.scalars(lock.with_for_update(key_share=True))).all()
        # A provider with very many claims takes as long as it takes.
        await connection.execute(WITHOUT_LIMITS)
        if (await freshness_of(connection, dict.fromkeys(locked, max_minutes))).get(
            provider_id, True
        ):
            return None
        found = await recompute(connection, locked, Scope(confirm=True, found_by=FOUND_BY))
        await confirm_recomputed(connection, locked)
    return found.repaired_rows
