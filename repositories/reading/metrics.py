"""A provider's figures, as its transaction (`repositories.reading.scope`) may read them.

Each statement names the provider too: the filter finds the rows by their index, and the policies
see to it that it could be forgotten.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.metrics.definitions import METRICS
from repositories.metrics.lists import LISTS
from repositories.recomputation.expected import is_before_horizon
from repositories.tables import analytics_cache, providers
from repositories.vocabulary import Dimension, MetricKey

SINCE: Final = {each.key: each.since for each in (*METRICS, *LISTS)}
TOTAL: Final = "total"
Breakdown = Dimension | Literal["total"]
# The functions of migration 0006, by the key whose day rows they add up.
BRACKETS: Final = {
    MetricKey.AGING_BRACKETS: "aging",
    MetricKey.APPROACHING_DEADLINE: "approaching_deadline",
    MetricKey.STALE_CLAIMS: "stale_claims",
}
OLD: sa.ColumnElement[Any] = sa.literal_column("interval '60 minutes'")

# JSON's null stands before every object, so the total comes first.
PLACE = (
    analytics_cache.c.period_start,
    sa.func.coalesce(analytics_cache.c.dimensions, sa.literal_column("'null'::jsonb")),
)
REVISION: Final = sa.select(providers.c.metrics_revision).where(
    providers.c.provider_id == sa.bindparam("provider_id")
)


@dataclass(frozen=True)
class MetricRow:
    """A row of `analytics_cache`. `old`: computed more than 60 minutes ago."""

    period_start: date
    period_end: date
    dimensions: dict[str, str] | None
    value: dict[str, Any]
    computed_at: datetime
    old: bool

    @property
    def place(self) -> tuple[date, dict[str, str] | None]:
        """Where it stands in the order of its metric's rows."""
        return self.period_start, self.dimensions


@dataclass(frozen=True)
class Bracket:
    """Claims of a payer (None: of both) whose day falls into a bracket."""

    claim_type: str | None
    bracket: str
    count: int
    amount: str  # with two decimals


async def is_filled(connection: AsyncConnection, provider_id: UUID, key: MetricKey) -> bool:
    """Whether the provider's figures of this key are there; those that came with an upgrade are
    filled in later. Of a provider that no event has named none are missing."""
    return _has(key, await connection.scalar(REVISION, {"provider_id": provider_id}))


def _has(key: MetricKey, revision: int | None) -> bool:
    return revision is None or revision >= SINCE[key]


async def metric_rows(
    connection: AsyncConnection,
    provider_id: UUID,
    key: MetricKey,
    first: date,
    last: date,
    *,
    limit: int,
    by: Breakdown | None = None,
    after: tuple[date, dict[str, str] | None] | None = None,
) -> Sequence[MetricRow] | None:
    """At most `limit` rows of periods that lie wholly within the days, in order, those at `after`
    and before it left out; None while they are not filled. `by`: a breakdown, or the total alone.
    """
    asked: dict[str, Any] = {
        "provider_id": provider_id,
        "metric_key": key,
        "first": first,
        "last": last,
        "limit": limit,
    }
    if by and by != TOTAL:
        asked["dimension"] = by
    if after:
        asked |= {"after_start": after[0], "after_dimensions": after[1]}
    found = (await connection.execute(_rows(by, after is not None), asked)).all()
    filled = (
        _has(key, found[0].revision) if found else await is_filled(connection, provider_id, key)
    )
    return [MetricRow(*row[1:]) for row in found] if filled else None


@cache
def _rows(by: Breakdown | None, goes_on: bool) -> sa.Select[Any]:
    """Made once for each form of the question: that takes longer than the question."""
    cache_ = analytics_cache.c
    rows = sa.select(
        REVISION.scalar_subquery().label("revision"),  # a question of its own takes as long again
        cache_.period_start,
        cache_.period_end,
        cache_.dimensions,
        cache_.value,
        cache_.computed_at,
        cache_.computed_at < sa.func.clock_timestamp() - OLD,
    ).where(
        cache_.provider_id == sa.bindparam("provider_id"),
        cache_.metric_key == sa.bindparam("metric_key", type_=sa.String),
        cache_.period_start >= sa.bindparam("first"),
        cache_.period_end <= sa.bindparam("last"),
        ~is_before_horizon(analytics_cache),
    )
    if by == TOTAL:
        rows = rows.where(cache_.dimensions.is_(None))
    elif by:
        rows = rows.where(cache_.dimensions.has_key(sa.bindparam("dimension", type_=sa.String)))
    if goes_on:
        after = sa.tuple_(
            sa.bindparam("after_start", type_=sa.Date),
            sa.bindparam("after_dimensions", type_=JSONB(none_as_null=False)),
        )
        rows = rows.where(sa.tuple_(*PLACE) > after)
    return rows.order_by(*PLACE).limit(sa.bindparam("limit", type_=sa.Integer))


async def brackets(connection: AsyncConnection, key: MetricKey, as_of: date) -> Sequence[Bracket]:
    """Of one of `BRACKETS`; of whose claims, the transaction says. None before they are filled."""
    function = getattr(sa.func.claim_analytics, BRACKETS[key])
    rows = function(sa.bindparam("as_of", as_of, sa.Date)).table_valued(
        "claim_type", "bracket", sa.column("count", sa.BigInteger), "amount"
    )
    asked = sa.select(
        rows.c.claim_type, rows.c.bracket, rows.c.count, sa.cast(rows.c.amount, sa.Text)
    )
    return [Bracket(*row) for row in await connection.execute(asked)]
