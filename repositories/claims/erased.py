"""The SQL that keeps erased patients out of a batch; `repositories/tombstones.py` says how.

To be run between the locks of the batch's providers and its merge, and only if there is any
tombstone at all: most batches of most installations skip it.
"""

import sqlalchemy as sa

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
