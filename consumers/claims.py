"""The claim topics: each its contract, and for all of them one merge."""

from collections.abc import Sequence
from functools import partial

from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from consumers.dead_letters import DeadLetterReason
from consumers.decode import decode
from consumers.handler import Outcome, Refusal, Subscription
from repositories.claim_batches import Breach, apply_claim_batch
from repositories.claim_rows import ClaimEventRow
from repositories.consumer_offsets import NextOffset
from repositories.database import Database

DETAILS = {
    Breach.PROVIDER_MISMATCH: "provider_id: the claim came with another provider before",
    Breach.VERSION_CONFLICT: "claim_version: this version came with other content before",
}


async def merge_claims(
    database: Database, events: Sequence[ClaimEventRow], offsets: Sequence[NextOffset]
) -> Outcome:
    """Merge a batch of claim events into history, claims and figures."""
    merged = await apply_claim_batch(database, events, offsets)
    refusals = [
        Refusal(position, DeadLetterReason(breach.value), DETAILS[breach])
        for position, breach in merged.breaches.items()
    ]
    return Outcome(merged.applied, merged.stale, merged.duplicate, merged.changed_rows, refusals)


def claim_subscription(contract: ClaimContract) -> Subscription[ClaimEventRow]:
    """The consumer of one claim topic: its contract, and the merge."""
    return Subscription(contract.topic, partial(decode, contract=contract), merge_claims)


CLAIM_SUBSCRIPTIONS = tuple(claim_subscription(contract) for contract in CLAIM_CONTRACTS)
