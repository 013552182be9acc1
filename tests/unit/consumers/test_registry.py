import json
from datetime import datetime

import pytest

from consumers.contracts import fields
from consumers.contracts.claims import ClaimData, SentClaim
from consumers.contracts.envelope import EventType
from consumers.contracts.fast import OrdinaryEvent
from consumers.contracts.registry import (
    CLAIM_CONTRACTS,
    READ_CONTRACTS,
    SENT_CONTRACTS,
    ClaimContract,
)
from consumers.kafka.topics import similar_topic
from repositories.vocabulary import ClaimState
from tests.unit.consumers.both_ways import agree
from tests.unit.consumers.records import AHCIP_PAID, AHCIP_SUBMITTED, accepted, binary


def test_the_registry_names_topics_types_and_states() -> None:
    rows = [(c.topic, c.event.name, c.state) for c in CLAIM_CONTRACTS]
    assert rows == [
        ("claim-submitted", "ca.meritum.claim.submitted.v1", ClaimState.SUBMITTED),
        ("claim-paid", "ca.meritum.claim.paid.v1", ClaimState.PAID),
        ("claim-saved", "ca.meritum.claim.saved.v1", None),
        ("claim-assessed", "ca.meritum.claim.assessed.v1", ClaimState.ASSESSED),
        ("claim-rejected", "ca.meritum.claim.rejected.v1", ClaimState.REJECTED),
        ("claim-adjusted", "ca.meritum.claim.adjusted.v1", ClaimState.ADJUSTED),
        ("claim-written-off", "ca.meritum.claim.written-off.v1", ClaimState.WRITTEN_OFF),
        ("claim-expired", "ca.meritum.claim.expired.v1", ClaimState.EXPIRED),
        ("claim-withdrawn", "ca.meritum.claim.withdrawn.v1", ClaimState.WITHDRAWN),
    ]


def test_no_topic_is_taken_for_another_that_is_spelt_wrongly() -> None:
    names = {contract.topic for contract in (*READ_CONTRACTS, *SENT_CONTRACTS)}
    assert [name for name in names if similar_topic(name, names - {name})] == []


def test_the_registry_names_the_events_that_are_none_of_a_claim() -> None:
    rows = [(c.topic, c.event.name) for c in (*READ_CONTRACTS, *SENT_CONTRACTS)]
    assert rows[len(CLAIM_CONTRACTS) :] == [
        ("ai-suggestion", "ca.meritum.ai.suggestion.v1"),
        ("report-request", "ca.meritum.report.requested.v1"),
        ("provider-updated", "ca.meritum.provider.updated.v1"),
        ("cache-refresh-request", "ca.meritum.analytics.refresh-requested.v1"),
        ("report-status", "ca.meritum.report.ready.v1"),
        ("report-status", "ca.meritum.report.failed.v1"),
        ("report-status", "ca.meritum.report.expired.v1"),
    ]


class _Reopened(SentClaim):
    assessed_fee: fields.Money


def test_a_further_event_needs_its_model_and_a_row_and_nothing_else() -> None:
    reopened = ClaimContract(
        EventType("ca.meritum.claim.reopened", 1), "claim-reopened", _Reopened, ClaimState.ASSESSED
    )
    data = {**AHCIP_SUBMITTED, "assessed_fee": AHCIP_PAID["assessed_fee"]}
    row = accepted(binary(json.dumps(data).encode(), reopened), reopened)
    known = {name: value for name, value in data.items() if name in _Reopened.model_fields}
    record = binary(json.dumps(known).encode(), reopened)
    assert agree(record, reopened)
    assert accepted(record, reopened) == row
    assert row.state is ClaimState.ASSESSED
    assert str(row.assessed_fee) == AHCIP_PAID["assessed_fee"]
    assert row.submitted_at is None
    assert row.payment_date is None


class _WithARuleOfItsOwn(ClaimData):
    def cross_rules(self, occurred_at: datetime) -> dict[str, bool]:
        return {**super().cross_rules(occurred_at), "claim_version": self.claim_version > 1}


class _WithAColumnOfItsOwn(ClaimData):
    def derived(self) -> dict[str, object]:
        return {"created_day": self.date_of_service}


@pytest.mark.parametrize("data", [_WithARuleOfItsOwn, _WithAColumnOfItsOwn])
def test_an_event_of_which_the_fast_way_would_not_know_all_is_found_at_once(
    data: type[ClaimData],
) -> None:
    with pytest.raises(ValueError, match=data.__name__):
        OrdinaryEvent("a type", data, ClaimState.ASSESSED)
