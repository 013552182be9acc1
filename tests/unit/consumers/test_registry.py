import json

from consumers.contracts import fields
from consumers.contracts.claim_data import ClaimData
from consumers.contracts.event_type import EventType
from consumers.contracts.registry import (
    CLAIM_CONTRACTS,
    READ_CONTRACTS,
    SENT_CONTRACTS,
    ClaimContract,
)
from repositories.vocabulary import ClaimState
from tests.unit.consumers.records import AHCIP_PAID, AHCIP_SUBMITTED, accepted, binary


def test_the_registry_names_topics_types_and_states() -> None:
    rows = [(c.topic, c.event.name, c.state) for c in CLAIM_CONTRACTS]
    assert rows == [
        ("claim-submitted", "ca.meritum.claim.submitted.v1", ClaimState.SUBMITTED),
        ("claim-paid", "ca.meritum.claim.paid.v1", ClaimState.PAID),
    ]


def test_the_registry_names_the_events_of_reports_and_providers() -> None:
    rows = [(c.topic, c.event.name) for c in (*READ_CONTRACTS, *SENT_CONTRACTS)]
    assert rows[len(CLAIM_CONTRACTS) :] == [
        ("report-request", "ca.meritum.report.requested.v1"),
        ("provider-updated", "ca.meritum.provider.updated.v1"),
        ("report-status", "ca.meritum.report.ready.v1"),
        ("report-status", "ca.meritum.report.failed.v1"),
        ("report-status", "ca.meritum.report.expired.v1"),
    ]


class _Assessed(ClaimData):
    assessed_fee: fields.Money


def test_a_further_event_needs_its_model_and_a_row_and_nothing_else() -> None:
    assessed = ClaimContract(
        EventType("ca.meritum.claim.assessed", 1), "claim-assessed", _Assessed, ClaimState.ASSESSED
    )
    data = {**AHCIP_SUBMITTED, "assessed_fee": AHCIP_PAID["assessed_fee"]}
    row = accepted(binary(json.dumps(data).encode(), assessed), assessed)
    assert row.state is ClaimState.ASSESSED
    assert str(row.assessed_fee) == AHCIP_PAID["assessed_fee"]
    assert row.submitted_at is None
    assert row.payment_date is None
