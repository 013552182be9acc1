"""The events that the service reads and sends. A further one is its module and a row here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from pydantic import BaseModel

from consumers.contracts import claims, reports
from consumers.contracts.envelope import EventType
from consumers.contracts.fast import OrdinaryEvent
from consumers.contracts.providers import ProviderUpdated
from consumers.contracts.refreshes import RefreshRequested
from consumers.contracts.suggestions import AiSuggestion
from repositories.vocabulary import ClaimState

Data_co = TypeVar("Data_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True)
class Contract(Generic[Data_co]):
    """One event and its topic. `topic` is the default name; the settings may say another."""

    event: EventType
    topic: str
    data: type[Data_co]


@dataclass(frozen=True)
class ClaimContract(Contract[claims.ClaimData]):
    """A claim event, the only one of its topic.

    `state` is what it makes of the claim; None where the data says it, with other columns that
    are derived from the data.
    """

    state: ClaimState | None

    @cached_property
    def ordinary(self) -> OrdinaryEvent | None:
        """The fast way, which derives nothing."""
        return OrdinaryEvent(self.event.name, self.data, self.state) if self.state else None


def _claim(word: str, data: type[claims.ClaimData], state: ClaimState | None) -> ClaimContract:
    return ClaimContract(EventType(f"ca.meritum.claim.{word}", 1), f"claim-{word}", data, state)


CLAIM_CONTRACTS = (
    _claim("submitted", claims.ClaimSubmitted, ClaimState.SUBMITTED),
    _claim("paid", claims.ClaimPaid, ClaimState.PAID),
    _claim("saved", claims.ClaimSaved, None),
    _claim("assessed", claims.ClaimAssessed, ClaimState.ASSESSED),
    _claim("rejected", claims.ClaimRejected, ClaimState.REJECTED),
    _claim("adjusted", claims.ClaimAdjusted, ClaimState.ADJUSTED),
    _claim("written-off", claims.ClaimWrittenOff, ClaimState.WRITTEN_OFF),
    _claim("expired", claims.ClaimExpired, ClaimState.EXPIRED),
    _claim("withdrawn", claims.ClaimWithdrawn, ClaimState.WITHDRAWN),
)
AI_SUGGESTION = Contract(EventType("ca.meritum.ai.suggestion", 1), "ai-suggestion", AiSuggestion)
REPORT_REQUEST = Contract(
    EventType("ca.meritum.report.requested", 1), "report-request", reports.ReportRequested
)
PROVIDER_UPDATED = Contract(
    EventType("ca.meritum.provider.updated", 1), "provider-updated", ProviderUpdated
)
CACHE_REFRESH_REQUEST = Contract(
    EventType("ca.meritum.analytics.refresh-requested", 1),
    "cache-refresh-request",
    RefreshRequested,
)

# Each topic that is read carries one event; the topic that is written carries three.
READ_CONTRACTS: tuple[Contract[BaseModel], ...] = (
    *CLAIM_CONTRACTS,
    AI_SUGGESTION,
    REPORT_REQUEST,
    PROVIDER_UPDATED,
    CACHE_REFRESH_REQUEST,
)
SENT_CONTRACTS: tuple[Contract[BaseModel], ...] = (
    Contract(EventType("ca.meritum.report.ready", 1), "report-status", reports.ReportReady),
    Contract(EventType("ca.meritum.report.failed", 1), "report-status", reports.ReportFailed),
    Contract(EventType("ca.meritum.report.expired", 1), "report-status", reports.ReportExpired),
)
CONTRACT_BY_TYPE = {contract.event.name: contract for contract in READ_CONTRACTS}
CONTRACT_BY_TOPIC = {contract.topic: contract for contract in READ_CONTRACTS}
