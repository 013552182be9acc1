"""The SQL by which a batch takes hold of its providers, whatever its events are.

`staged` are the batch's events, with their `provider_id`. In this order: make the providers known,
lock them, and, if anything was ever erased, leave out what is of erased ones. Each is a statement
of its own, so that its snapshot has what was committed while the one before it waited.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert

from repositories.metrics.definitions import LATEST_REVISION
from repositories.tables import providers
from repositories.tombstones import has_tombstone
from repositories.vocabulary import ErasedKind

ONE: sa.ColumnElement[int] = sa.literal_column("1")


def add_providers(staged: sa.FromClause) -> Insert:
    """Make the batch's providers known; in order, so that two batches cannot deadlock.

    One that is new has no row yet, so it has every metric from its first on.
    """
    revision: sa.ColumnElement[int] = sa.literal_column(str(LATEST_REVISION))
    seen = sa.select(staged.c.provider_id, revision).distinct().order_by(staged.c.provider_id)
    names = ["provider_id", "metrics_revision"]
    return insert(providers).from_select(names, seen).on_conflict_do_nothing()


def lock_providers(staged: sa.FromClause) -> sa.Select[Any]:
    """Lock the batch's providers in order, and count them.

    NO KEY UPDATE and not UPDATE: the latter would block the foreign keys of other inserts.
    """
    locked = (
        sa.select(providers.c.provider_id)
        .where(providers.c.provider_id.in_(sa.select(staged.c.provider_id)))
        .order_by(providers.c.provider_id)
        .with_for_update(key_share=True)
        .cte("locked")
    )
    return sa.select(sa.func.count()).select_from(locked)


def leave_out_erased_providers(staged: sa.Alias[Any]) -> sa.Select[Any]:
    """Take their events out of the batch, and count them.

    The batch has made the providers known again; its own rows, and no others, go: those of a
    database that was restored may have figures still, until the list of erasures is imported.
    """
    seen = sa.select(staged.c.provider_id).distinct().subquery("seen")
    erased = (
        sa.select(seen.c.provider_id)
        .where(has_tombstone(ErasedKind.PROVIDER, seen.c.provider_id))
        .cte("erased")
    )
    its_events = sa.delete(staged).where(staged.c.provider_id == erased.c.provider_id)
    its_row = sa.delete(providers).where(
        providers.c.provider_id == erased.c.provider_id, providers.c.first_seen_at == sa.func.now()
    )
    left_out = its_events.returning(ONE).cte("left_out")
    unknown_again = its_row.returning(ONE).cte("unknown_again")
    return sa.select(sa.func.count()).select_from(left_out).add_cte(unknown_again)
