"""The claim topics: each its contract, and for all of them one merge."""

from collections.abc import Sequence
from functools import partial

from consumers.contracts.decode import decode_claim
from consumers.contracts.refusal import DeadLetterReason
from consumers.contracts.registry import CLAIM_CONTRACTS
from consumers.engine.subscription import Judge, Outcome, Refusal, Subscription
from repositories.claims.batch import Merged, apply_claim_batch
from repositories.offsets import NextOffset
from repositories.operations.letters import NO_LETTERS, BatchLetters
from repositories.postgres.database import Database


async def merge_claims(
    database: Database,
    events: Sequence[bytes],
    offsets: Sequence[NextOffset],
    judge: Judge,
    letters: BatchLetters = NO_LETTERS,
) -> Outcome:
    """Merge a batch of claim events into history, claims and figures."""
    merged = await apply_claim_batch(
        database, events, offsets, lambda merged: judge(_refusals(merged)), letters
    )
    return Outcome(
        merged.applied,
        merged.stale,
        merged.duplicate,
        merged.changed_rows,
        _refusals(merged),
        merged.erased,
        merged.decoded_differently,
        merged.corrected,
    )


def _refusals(merged: Merged) -> list[Refusal]:
    return [
        Refusal(
            event.topic,
            event.partition,
            event.offset,
            *REASONS[event.other_provider],
            claim_id=event.claim_id,
            provider_id=event.provider_id,
        )
        for event in merged.refused
    ]


# Why an event is refused, by whether it is because of another provider.
REASONS = {
    True: (
        DeadLetterReason.PROVIDER_MISMATCH,
        "provider_id: the claim came with another provider before",
    ),
    False: (
        DeadLetterReason.VERSION_CONFLICT,
        "claim_version: this version came with other content before",
    ),
}


CLAIMS = Subscription(
    "claims",
    {contract.topic: partial(decode_claim, contract=contract) for contract in CLAIM_CONTRACTS},
    merge_claims,
    replaces_groups=True,
    in_lanes=True,
)
