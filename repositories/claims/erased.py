"""The SQL that keeps erased patients and removed claims out of a batch;
`repositories/tombstones.py` says how.

To be run between the locks of the batch's providers and its merge, and only if there is any
tombstone at all: most batches of most installations skip it.
"""

from typing import Any

import sqlalchemy as sa

from repositories.batch_providers import ONE
from repositories.claims.merge import staged
from repositories.tombstones import has_tombstone
from repositories.vocabulary import ErasedKind


def empty_erased_claims() -> sa.Update:
    """Take the patients' numbers out of the events of claims that an erasure emptied."""
    return (
        sa.update(staged)
        .where(staged.c.patient_phn.is_not(None))
        .where(has_tombstone(ErasedKind.CLAIM, staged.c.claim_id))
        .values(patient_phn=None, phn_erased_at=sa.func.now())
    )


def leave_out_removed_claims() -> sa.Select[Any]:
    """Take the events of removed claims out of the batch, and count them."""
    its_events = sa.delete(staged).where(has_tombstone(ErasedKind.REMOVED, staged.c.claim_id))
    left_out = its_events.returning(ONE).cte("left_out")
    return sa.select(sa.func.count()).select_from(left_out)
