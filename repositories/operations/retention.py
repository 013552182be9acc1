"""Removing claims that are over their time: whole, and only what no month's figure covers.

A claim goes with all its versions and its dead letters, and leaves a tombstone: whatever reads
topics again finds it a duplicate still. What it adds to figures that have no months (claims that
wait since long ago) goes in the same transaction, under the lock that batches take. The AI coach's
events stay: they are counted by their own day, and name no patient.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.metrics.periods import first_month
from repositories.operations.tables import dead_letters
from repositories.postgres.database import Database
from repositories.recomputation.recompute import PREPARE, Scope, recompute
from repositories.tables import cache_horizon, claim_events, claims, providers
from repositories.tombstones import leave_tombstones
from repositories.vocabulary import ErasedKind

CLAIMS_AT_ONCE = 2_000  # batches of the provider wait meanwhile
PROVIDERS_AT_ONCE = 500


class OldYear(NamedTuple):
    """What there is of a year of service."""

    year: int
    providers: int
    claims: int
    events: int


class Removed(NamedTuple):
    """How many rows of which kind are gone."""

    claims: int = 0
    events: int = 0
    letters: int = 0

    def plus(self, other: "Removed") -> "Removed":
        return Removed(*(one + two for one, two in zip(self, other, strict=True)))


async def horizon(database: Database) -> date | None:
    """The first month that the figures cover; None as long as they cover all."""
    async with database.snapshot() as connection:
        found: date | None = await connection.scalar(sa.select(cache_horizon.c.first_month))
    return found


async def old_claims(database: Database, before: date) -> Sequence[OldYear]:
    """By year of service, what `remove_old_claims` would remove now."""
    year = sa.cast(sa.func.date_part("year", claims.c.date_of_service), sa.Integer)
    its_events = (
        sa.select(sa.func.count())
        .where(claim_events.c.claim_id == claims.c.claim_id)
        .scalar_subquery()
    )
    counts = (
        sa.select(
            year,
            sa.func.count(claims.c.provider_id.distinct()),
            sa.func.count(),
            sa.cast(sa.func.sum(its_events), sa.BigInteger),
        )
        .where(_is_old(before))
        .group_by(year)
        .order_by(year)
    )
    async with database.snapshot() as connection:
        return [OldYear(*row) for row in await connection.execute(counts)]


async def providers_with_old_claims(
    database: Database, before: date, after: UUID | None
) -> Sequence[UUID]:
    """The next few, in the order of their ids."""
    its_id = providers.c.provider_id
    has_some = sa.exists().where(claims.c.provider_id == its_id, _is_old(before))
    found = sa.select(its_id).where(has_some).order_by(its_id).limit(PROVIDERS_AT_ONCE)
    async with database.snapshot() as connection:
        beyond = found if after is None else found.where(its_id > after)
        return (await connection.scalars(beyond)).all()


async def remove_old_claims(
    database: Database, provider_id: UUID, before: date, why: str
) -> Removed:
    """Remove some of a provider's claims with a day of service before this, and before the horizon;
    nothing is removed once there are none.

    Raises LockNotAvailable if a batch keeps the provider for long, or another RepositoryError;
    nothing has changed then.
    """
    lock = sa.select(providers.c.provider_id).where(providers.c.provider_id == provider_id)
    old = (
        sa.select(claims.c.claim_id)
        .where(claims.c.provider_id == provider_id, _is_old(before))
        .order_by(claims.c.claim_id)
        .limit(CLAIMS_AT_ONCE)
    )
    async with database.transaction() as connection:
        await connection.execute(PREPARE)
        await connection.execute(lock.with_for_update(key_share=True))
        # A statement of its own: its snapshot has what earlier holders committed.
        claim_ids = (await connection.scalars(old)).all()
        if not claim_ids:
            return Removed()
        events = await _delete(connection, claim_events, claim_ids)
        await _delete(connection, claims, claim_ids)
        await leave_tombstones(connection, ErasedKind.REMOVED, claim_ids, why)
        await recompute(connection, [provider_id], Scope())
        letters = await _delete(connection, dead_letters, claim_ids)
    return Removed(len(claim_ids), events, letters)


def _is_old(before: date) -> sa.ColumnElement[bool]:
    """Without a horizon no claim is."""
    day = claims.c.date_of_service
    return sa.and_(day < before, day < first_month())


async def _delete(connection: AsyncConnection, table: sa.Table, claim_ids: Sequence[UUID]) -> int:
    gone = sa.delete(table).where(table.c.claim_id == sa.func.any(_array(claim_ids)))
    return (await connection.execute(gone)).rowcount


def _array(claim_ids: Sequence[UUID]) -> sa.ColumnElement[Any]:
    return sa.literal(list(claim_ids), sa.ARRAY(sa.Uuid))
