"""Recomputing provider by provider: what is wrong is repaired and kept, what is right stays."""

from collections.abc import Sequence
from random import Random
from uuid import UUID

import pytest
from asyncpg import Connection

from repositories.claims.recompute import Recomputed, Scope
from repositories.claims.verification import verify
from repositories.operations.passes import Pass
from repositories.operations.strays import strays_of
from repositories.postgres.database import Database
from tests.integration.repositories.database_state import dump
from tests.integration.repositories.examples import apply, expected, settled, uuid_of
from tests.integration.repositories.random_traffic import history

REBUILD = Scope(history=True, found_by="rebuild")
EVENTS = history(Random(1), claims=150)
DAMAGES = {
    "claims are lost": "DELETE FROM claims WHERE claim_version > 3",
    "all claims are lost": "DELETE FROM claims",
    "claims have another provider": "UPDATE claims SET provider_id = $1 WHERE claim_version > 3",
    "claims have other contents": "UPDATE claims SET submitted_fee = 1, patient_phn = NULL",
    "facts are wrong": "UPDATE claims SET last_sent_version = 9, first_rejected_version = 1",
    "claims have no history": "DELETE FROM claim_events WHERE hashtext(claim_id::text) % 3 = 0",
    "all figures are lost": "DELETE FROM analytics_cache",
    "figures are wrong": 'UPDATE analytics_cache SET value = \'{"count": 7, "amount": "7.00"}\'',
    "months end too early": "UPDATE analytics_cache SET period_end = period_start",
    "keys are unknown": "UPDATE analytics_cache SET metric_key = 'no_such_key' WHERE"
    " metric_key = 'stale_claims'",
}


async def rebuild(database: Database, only: Sequence[UUID] | None = None) -> Recomputed:
    counts = Recomputed()
    async with strays_of(database, only, None) as strays:
        way = Pass(REBUILD, only, strays=strays)
        while step := await way.step(database):
            counts = counts.plus(step.counts)
    return counts


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
async def test_whatever_is_damaged_a_rebuild_makes_it_what_the_history_says(
    database: Database, observer: Connection, damage: str
) -> None:
    await apply(database, *EVENTS)
    await settled(database, observer)
    await observer.execute(damage, *[uuid_of("provider P")] * damage.count("$1"))
    counts = await rebuild(database)
    assert counts.repaired_claims + counts.repaired_rows > 0
    assert (await verify(database)).clean
    if "claim_events" not in damage:
        assert await settled(database, observer) == expected(*EVENTS)
    before = await dump(observer)
    assert await rebuild(database) == Recomputed()
    assert await dump(observer) == before
