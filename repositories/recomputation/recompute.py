"""Bringing a provider's rows to what their sources add up to: the one core behind filling in what
a newer version keeps, `rebuild`, `refresh` and the nightly run.

It runs in the caller's transaction, under the locks that batches take, and writes what differs and
nothing else. So whoever reads sees a provider as it was or as it should be, and never between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.claims.batch import HORIZON_LOCK
from repositories.metrics.definitions import LATEST_REVISION
from repositories.recomputation.claims import list_claims, repair_claims
from repositories.recomputation.figures import RowDifference, list_figures, repair_figures
from repositories.statements import BY_HASH
from repositories.tables import providers
from repositories.vocabulary import Discrepancy

SECONDS = 0.2  # that a transaction is to take, since batches wait for its providers meanwhile
MOST_PROVIDERS = 500
LOCK_SECONDS = 1

PREPARE: Final = sa.select(
    sa.func.pg_advisory_xact_lock_shared(HORIZON_LOCK),
    sa.func.set_config("lock_timeout", f"{LOCK_SECONDS}s", True),
    # A provider with very many claims must not be begun again and again.
    sa.func.set_config("statement_timeout", "0", True),
)


@dataclass(frozen=True)
class Scope:
    """What is recomputed.

    Of figures the rows of months from `since` (the first of one) on, and those of all days; all
    rows where it is None, and then they are filled. With `history` the claims too, as far as they
    have a day of service from `since` on. `confirm` moves the `computed_at` of rows that are right.
    Rows that are wrong are kept as they were in `repaired_rows`, as `found_by` this command or job,
    if that is named.
    """

    since: date | None = None
    history: bool = False
    confirm: bool = False
    found_by: str | None = None


class Recomputed(NamedTuple):
    """How many claims and rows of `analytics_cache` were written, by why they differed, and how
    many were confirmed. `repaired_rows` were wrong."""

    repaired_claims: int = 0
    repaired_rows: int = 0
    list_rows: int = 0
    filled_rows: int = 0
    removed_rows: int = 0
    confirmed_rows: int = 0

    def plus(self, other: "Recomputed") -> "Recomputed":
        return Recomputed(*(one + two for one, two in zip(self, other, strict=True)))


@dataclass
class Pace:
    """How many providers fit into a transaction that takes `SECONDS`; at least one."""

    at_once: int = 1

    def adapt(self, providers: int, seconds: float) -> None:
        """Towards as many as take `SECONDS`, at most twice as many as before."""
        fitting = int(providers * SECONDS / max(seconds, 0.001))
        self.at_once = max(1, min(fitting, 2 * providers, MOST_PROVIDERS))


async def recompute(
    connection: AsyncConnection,
    locked: Sequence[UUID],
    scope: Scope,
    strays: Sequence[UUID] = (),
) -> Recomputed:
    """Recompute these providers, whose rows the caller's transaction has locked after `PREPARE`.

    `strays` are claims that are in their histories and not, or not as theirs, in `claims`. To be
    called once all locks are held: its statements' snapshots then have what earlier holders
    committed.
    """
    await connection.execute(sa.select(*BY_HASH))
    repaired_claims = 0
    if scope.history:
        repaired_claims = await repair_claims(connection, locked, strays, scope.since)
    counts = await repair_figures(
        connection, locked, since=scope.since, confirm=scope.confirm, found_by=scope.found_by
    )
    if scope.since is None:
        await connection.execute(_raise_revision(), {"locked": locked})
    return Recomputed(
        repaired_claims=repaired_claims,
        repaired_rows=counts[Discrepancy.WRONG],
        list_rows=counts[Discrepancy.DUE],
        filled_rows=counts[Discrepancy.NEW],
        removed_rows=counts[Discrepancy.BEFORE_HORIZON],
        confirmed_rows=counts["confirmed"],
    )


class Differences(NamedTuple):
    """What `recompute` would write: claims by their ids, and rows of `analytics_cache`."""

    claims: Sequence[UUID]
    rows: Sequence[RowDifference]


async def differences(
    connection: AsyncConnection,
    provider_ids: Sequence[UUID],
    scope: Scope,
    strays: Sequence[UUID] = (),
) -> Differences:
    """As `recompute`, but it changes and locks nothing; in a snapshot, so that claims and figures
    are of one moment."""
    await connection.execute(sa.select(*BY_HASH))
    wrong: Sequence[UUID] = ()
    if scope.history:
        wrong = await list_claims(connection, provider_ids, strays, scope.since)
    rows = await list_figures(
        connection, provider_ids, strays, since=scope.since, history=scope.history
    )
    return Differences(wrong, rows)


def _raise_revision() -> sa.Update:
    """Never down: a newer instance may have filled more."""
    its_own = providers.c.provider_id == sa.func.any(
        sa.bindparam("locked", type_=sa.ARRAY(sa.Uuid))
    )
    raised = providers.update().values(metrics_revision=LATEST_REVISION)
    return raised.where(its_own, providers.c.metrics_revision < LATEST_REVISION)
