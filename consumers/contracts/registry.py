"""The claim events that the service reads. A further one is its module and a row here."""

from dataclasses import dataclass

from consumers.contracts.claim_data import ClaimData
from consumers.contracts.claim_paid import ClaimPaid
from consumers.contracts.claim_submitted import ClaimSubmitted
from consumers.contracts.event_type import EventType
from repositories.vocabulary import ClaimState


@dataclass(frozen=True)
class ClaimContract:
    """What one topic carries. `topic` is the default name; the settings may say another."""

    event: EventType
    topic: str
    data: type[ClaimData]
    state: ClaimState  # of a claim whose latest event this is


CLAIM_CONTRACTS = (
    ClaimContract(
        EventType("ca.meritum.claim.submitted", 1),
        "claim-submitted",
        ClaimSubmitted,
        ClaimState.SUBMITTED,
    ),
    ClaimContract(
        EventType("ca.meritum.claim.paid", 1),
        "claim-paid",
        ClaimPaid,
        ClaimState.PAID,
    ),
)
CONTRACT_BY_TYPE = {contract.event.name: contract for contract in CLAIM_CONTRACTS}
CONTRACT_BY_TOPIC = {contract.topic: contract for contract in CLAIM_CONTRACTS}
