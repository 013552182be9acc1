"""The events that the service reads and sends. A further one is its module and a row here."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from consumers.contracts.claim_data import ClaimData
from consumers.contracts.claim_paid import ClaimPaid
from consumers.contracts.claim_submitted import ClaimSubmitted
from consumers.contracts.event_type import EventType
from consumers.contracts.provider_updated import ProviderUpdated
from consumers.contracts.report_requested import ReportRequested
from consumers.contracts.report_status import ReportExpired, ReportFailed, ReportReady
from repositories.vocabulary import ClaimState

Data_co = TypeVar("Data_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class Contract(Generic[Data_co]):
    """One event and its topic. `topic` is the default name; the settings may say another."""

    event: EventType
    topic: str
    data: type[Data_co]


@dataclass(frozen=True)
class ClaimContract(Contract[ClaimData]):
    """A claim event, the only one of its topic."""

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
REPORT_REQUEST = Contract(
    EventType("ca.meritum.report.requested", 1), "report-request", ReportRequested
)
PROVIDER_UPDATED = Contract(
    EventType("ca.meritum.provider.updated", 1), "provider-updated", ProviderUpdated
)

# Each topic that is read carries one event; the topic that is written carries three.
READ_CONTRACTS: tuple[Contract[BaseModel], ...] = (
    *CLAIM_CONTRACTS,
    REPORT_REQUEST,
    PROVIDER_UPDATED,
)
SENT_CONTRACTS: tuple[Contract[BaseModel], ...] = (
    Contract(EventType("ca.meritum.report.ready", 1), "report-status", ReportReady),
    Contract(EventType("ca.meritum.report.failed", 1), "report-status", ReportFailed),
    Contract(EventType("ca.meritum.report.expired", 1), "report-status", ReportExpired),
)
CONTRACT_BY_TYPE = {contract.event.name: contract for contract in READ_CONTRACTS}
CONTRACT_BY_TOPIC = {contract.topic: contract for contract in READ_CONTRACTS}
