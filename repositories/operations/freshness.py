"""Since when a provider's figures are known to be what its claims add up to.

A batch leaves figures right if they were right before, so it confirms its providers, in its own
transaction and under their locks. A recomputation confirms them whatever they were before. A
provider whose figures are not all filled in yet is confirmed by a recomputation alone.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.metrics.definitions import LATEST_REVISION
from repositories.operations.tables import provider_freshness as freshness
from repositories.tables import providers

MINUTE: sa.ColumnElement[Any] = sa.literal_column("interval '1 minute'")
IS_FILLED = providers.c.metrics_revision >= sa.literal_column(str(LATEST_REVISION))


def confirm(batch: sa.FromClause) -> Insert:
    """Confirm the providers of a batch's rows (`provider_id`) that were not within this minute.

    To be run under their locks: so what is read here is what stands there. Not each time, since
    batches of one provider can come many times a second.
    """
    seen = sa.select(batch.c.provider_id).distinct().subquery("seen")
    long_ago = freshness.c.confirmed_at < sa.func.now() - MINUTE
    due = sa.or_(freshness.c.confirmed_at.is_(None), long_ago)
    rows = (
        sa.select(providers.c.provider_id, sa.func.now())
        .join(seen, seen.c.provider_id == providers.c.provider_id)
        .outerjoin(freshness, freshness.c.provider_id == providers.c.provider_id)
        .where(IS_FILLED, due)
        .order_by(providers.c.provider_id)
    )
    statement = insert(freshness).from_select(["provider_id", "confirmed_at"], rows)
    return statement.on_conflict_do_update(
        index_elements=["provider_id"], set_={"confirmed_at": statement.excluded.confirmed_at}
    )


async def confirm_recomputed(connection: AsyncConnection, provider_ids: Sequence[UUID]) -> None:
    """Confirm providers that the caller's transaction has locked and recomputed."""
    its_id = providers.c.provider_id
    rows = sa.select(its_id, sa.func.now()).where(its_id.in_(provider_ids)).order_by(its_id)
    statement = insert(freshness).from_select(["provider_id", "confirmed_at"], rows)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["provider_id"], set_={"confirmed_at": statement.excluded.confirmed_at}
        )
    )


async def freshness_of(
    connection: AsyncConnection, max_minutes: Mapping[UUID, int]
) -> dict[UUID, bool]:
    """Of each provider that is known: whether its figures were confirmed within so many minutes."""
    if not max_minutes:
        return {}
    pairs = sa.func.unnest(
        sa.literal(list(max_minutes), sa.ARRAY(sa.Uuid)),
        sa.literal(list(max_minutes.values()), sa.ARRAY(sa.Integer)),
    )
    asked = pairs.table_valued("provider_id", "minutes").render_derived(name="asked")
    oldest = sa.func.clock_timestamp() - asked.c.minutes * MINUTE
    fresh: sa.ColumnElement[Any] = sa.func.coalesce(
        sa.and_(IS_FILLED, freshness.c.confirmed_at >= oldest), sa.false()
    )
    its_id = providers.c.provider_id
    found = (
        sa.select(its_id, fresh.label("fresh"))
        .select_from(asked)
        .join(providers, its_id == asked.c.provider_id)
        .outerjoin(freshness, freshness.c.provider_id == its_id)
    )
    return {row.provider_id: row.fresh for row in await connection.execute(found)}
