"""Claims of the history that `claims` has lost, or has for another provider.

A recomputation goes through a provider's claims by their index, and `claim_events`, to which every
batch adds, has none by provider. So what `claims` cannot name is looked for once, before the first
provider, in one comparison of the two tables.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from repositories.postgres.database import Database
from repositories.statements import BY_HASH
from repositories.tables import claim_events, claims

ROWS_AT_ONCE = 1_000


@dataclass
class Strays:
    """Read in the order of providers while these are gone through, so that memory does not grow.

    None unless it comes from `strays_of`.
    """

    _rows: AsyncIterator[tuple[UUID, UUID]] | None = None  # owner and claim
    _next: tuple[UUID, UUID] | None = None
    _kept: dict[UUID, list[UUID]] = field(default_factory=dict)

    async def of(self, provider_ids: Sequence[UUID]) -> Sequence[UUID]:
        """The claims that these providers' histories have beside those in `claims`.

        Providers come in ascending order, but for some that are passed over and come later.
        """
        last = max(provider_ids, default=None)
        while last and self._next and self._next[0] <= last:
            provider_id, claim_id = self._next
            self._kept.setdefault(provider_id, []).append(claim_id)
            await self.read_on()
        return [claim for each in provider_ids for claim in self._kept.get(each, ())]

    def forget(self, provider_ids: Sequence[UUID]) -> None:
        """These providers are done."""
        for each in provider_ids:
            self._kept.pop(each, None)

    async def read_on(self) -> None:
        self._next = await anext(self._rows, None) if self._rows else None


@asynccontextmanager
async def strays_of(
    database: Database, only: Sequence[UUID] | None, after: UUID | None
) -> AsyncIterator[Strays]:
    """All of them, or those of providers of `only`, beyond `after`. Compares both tables once."""
    async with aclosing(_read(database, _strays(only, after))) as rows:
        strays = Strays(rows)
        await strays.read_on()
        yield strays


async def _read(database: Database, statement: sa.Select[Any]) -> AsyncGenerator[tuple[UUID, UUID]]:
    """The snapshot is left as soon as no more are to come; almost always there are none."""
    async with database.snapshot() as connection:
        await connection.execute(sa.select(*BY_HASH))
        options = {"yield_per": ROWS_AT_ONCE}
        async with connection.stream(statement, execution_options=options) as found:
            async for row in found:
                yield row.provider_id, row.claim_id


def _strays(only: Sequence[UUID] | None, after: UUID | None) -> sa.Select[Any]:
    owner = claim_events.c.provider_id
    strays = (
        sa.select(owner, claim_events.c.claim_id)
        .distinct()
        .outerjoin_from(claim_events, claims, claims.c.claim_id == claim_events.c.claim_id)
        .where(claims.c.provider_id.is_distinct_from(owner))
        .order_by(owner, claim_events.c.claim_id)
    )
    if only is not None:
        strays = strays.where(owner.in_(only))
    return strays if after is None else strays.where(owner > after)
