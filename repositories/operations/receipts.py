"""What became of a claim's events, and where the claim counts now."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.metrics.contributions import contributions
from repositories.metrics.upsert import same_row
from repositories.operations.tables import dead_letters
from repositories.statements import BY_INDEX
from repositories.tables import analytics_cache, claim_events, claims
from repositories.tombstones import erased_since
from repositories.vocabulary import ErasedKind, LetterState

CLAIM = sa.bindparam("claim_id", type_=sa.Uuid)


@dataclass(frozen=True)
class AppliedEvent:
    """A version of the claim in the history, and the record that it came from."""

    claim_version: int
    state: str
    occurred_at: datetime
    applied_at: datetime
    source_topic: str
    source_partition: int
    source_offset: int


@dataclass(frozen=True)
class ClaimLetter:
    """A dead letter that names the claim; which version it had is not kept."""

    source_topic: str
    source_partition: int
    source_offset: int
    source_timestamp: datetime
    reason: str
    detail: str
    state: LetterState
    first_seen_at: datetime


@dataclass(frozen=True)
class CountedRow:
    """A row of `analytics_cache`: what the claim adds to it, and what all claims add up to there.

    `row_value` is None if there is no such row, which `verify` would report.
    """

    metric_key: str
    period_start: date
    period_end: date
    dimensions: dict[str, str] | None
    claim_value: dict[str, Any]
    row_value: dict[str, Any] | None


@dataclass(frozen=True)
class ClaimReceipt:
    """Of one moment. `counting_version` is the one that makes the claim what it is now; None, with
    `provider_id`, if no event of the claim is known. `removed_at`: when it was removed whole, as it
    was over its time; None if it was not."""

    claim_id: UUID
    provider_id: UUID | None
    counting_version: int | None
    removed_at: datetime | None
    events: Sequence[AppliedEvent]
    letters: Sequence[ClaimLetter]
    rows: Sequence[CountedRow]


async def read_receipt(connection: AsyncConnection, claim_id: UUID) -> ClaimReceipt:
    """In the caller's transaction, best a snapshot: events in order of their versions."""
    await connection.execute(sa.select(*BY_INDEX))
    asked = {"claim_id": claim_id}
    now = (await connection.execute(_claim(), asked)).one_or_none()
    events = await connection.execute(_events(), asked)
    letters = await connection.execute(_letters(), asked)
    rows = await connection.execute(_rows(), asked) if now else ()
    return ClaimReceipt(
        claim_id,
        now.provider_id if now else None,
        now.claim_version if now else None,
        None if now else await erased_since(connection, ErasedKind.REMOVED, claim_id),
        [AppliedEvent(*row) for row in events],
        [ClaimLetter(*row) for row in letters],
        [CountedRow(*row) for row in rows],
    )


async def count_unnamed_letters(connection: AsyncConnection, topics: Sequence[str]) -> int:
    """How many open letters of these topics name no claim: any of them could be of any."""
    unnamed = sa.and_(
        dead_letters.c.state == LetterState.OPEN,
        dead_letters.c.claim_id.is_(None),
        dead_letters.c.source_topic.in_(topics),
    )
    count = sa.select(sa.func.count()).select_from(dead_letters).where(unnamed)
    return int(await connection.scalar(count) or 0)


@cache
def _claim() -> sa.Select[Any]:
    return sa.select(claims.c.provider_id, claims.c.claim_version).where(claims.c.claim_id == CLAIM)


@cache
def _events() -> sa.Select[Any]:
    of_claim = claim_events.c.claim_id == CLAIM
    columns = (claim_events.c[each.name] for each in fields(AppliedEvent))
    return sa.select(*columns).where(of_claim).order_by(claim_events.c.claim_version)


@cache
def _letters() -> sa.Select[Any]:
    columns = (dead_letters.c[each.name] for each in fields(ClaimLetter))
    about = sa.select(*columns).where(dead_letters.c.claim_id == CLAIM)
    return about.order_by(dead_letters.c.first_seen_at, *dead_letters.primary_key.columns)


@cache  # it is long
def _rows() -> sa.Select[Any]:
    """By the one definition of the figures, over the one claim."""
    one = sa.select(claims, sa.literal_column("1").label("sign")).where(claims.c.claim_id == CLAIM)
    signed = one.cte("signed_claim")
    part = contributions(signed).cte("part")
    dimensions, added = (sa.type_coerce(part.c[name], JSONB) for name in ("dimensions", "value"))
    joined = part.outerjoin(analytics_cache, same_row(part, analytics_cache))
    return (
        sa.select(
            part.c.metric_key,
            part.c.period_start,
            part.c.period_end,
            dimensions,
            added,
            analytics_cache.c.value.label("row_value"),
        )
        .select_from(joined)
        .order_by(part.c.metric_key, part.c.period_start, part.c.dimensions.nulls_first())
    )
