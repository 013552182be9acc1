"""The fast way through for the ordinary claim event agrees with the strict one, or stands aside."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.contracts.registry import CONTRACT_BY_TOPIC, ClaimContract
from service.local.simulator.imperfections import Imperfections
from service.local.simulator.simulator import Simulator
from tests.unit.consumers.both_ways import agree
from tests.unit.consumers.example_files import contract_of, lines, record_of
from tests.unit.consumers.field_cases import CASES
from tests.unit.consumers.records import (
    AHCIP,
    AHCIP_PAID,
    AHCIP_SUBMITTED,
    CONTRACTS,
    GOOD,
    PAID,
    SUBMITTED,
    WCB_SUBMITTED,
    KafkaRecord,
    binary,
    with_literal,
)

Data = dict[str, Any]
REJECTED, EXPIRED = CONTRACTS["claim-rejected"], CONTRACTS["claim-expired"]
AHCIP_REJECTED, AHCIP_EXPIRED = AHCIP["claim-rejected"], AHCIP["claim-expired"]


CLAIM_EXAMPLES = [
    pytest.param(line, id=f"{place}: {line['comment']}")
    for place in ("accepted", "rejected", "conflicting")
    for _, line in lines(place)
    if isinstance(contract_of(line), ClaimContract)
]


@pytest.mark.parametrize("line", CLAIM_EXAMPLES)
def test_an_example_has_one_outcome_both_ways(line: Data) -> None:
    contract = contract_of(line)
    assert isinstance(contract, ClaimContract)
    agree(record_of(line), contract)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.field)
def test_every_field_has_one_outcome_both_ways(case: Any) -> None:
    for literal in [*case.good, *case.bad]:
        agree(binary(with_literal(case.base, case.field, literal), case.contract), case.contract)


@pytest.mark.parametrize(("contract", "data"), GOOD)
def test_every_event_takes_the_fast_way_unless_something_is_derived_from_it(
    contract: ClaimContract, data: Data
) -> None:
    assert agree(binary(json.dumps(data).encode(), contract), contract) == bool(contract.state)


def test_the_ordinary_event_of_the_simulator_takes_the_fast_way() -> None:
    flawless = Imperfections(garbage=0, paid_first=0)
    now = datetime(2026, 1, 16, tzinfo=UTC)
    simulator = Simulator(1, 20, now, imperfections=flawless)
    events = list(simulator.history(2000))
    records = [(KafkaRecord(e.value, e.headers), CONTRACT_BY_TOPIC[e.topic_key]) for e in events]
    ways = {
        (contract.topic, agree(record, contract))
        for record, contract in records
        if isinstance(contract, ClaimContract) and contract.ordinary
    }
    assert ways >= {("claim-submitted", True), ("claim-paid", True)}
    assert all(fast for _, fast in ways)


def _without(data: Data, *names: str) -> Data:
    return {name: value for name, value in data.items() if name not in names}


@pytest.mark.parametrize(
    ("contract", "value"),
    [
        pytest.param(SUBMITTED, json.dumps(AHCIP_SUBMITTED), id="AHCIP"),
        pytest.param(SUBMITTED, json.dumps(WCB_SUBMITTED), id="WCB"),
        pytest.param(SUBMITTED, json.dumps(WCB_SUBMITTED, indent=1), id="indented"),
        pytest.param(SUBMITTED, json.dumps(AHCIP_SUBMITTED, sort_keys=True), id="another order"),
        pytest.param(
            SUBMITTED,
            json.dumps(_without(AHCIP_SUBMITTED, "form_id", "timing_tier", "modifiers")),
            id="without what may be left out",
        ),
        pytest.param(
            SUBMITTED, json.dumps({**AHCIP_SUBMITTED, "modifiers": None}), id="null modifiers"
        ),
        pytest.param(PAID, json.dumps(_without(AHCIP_PAID, "rrnp_premium")), id="no premium"),
        pytest.param(PAID, json.dumps({**AHCIP_PAID, "rrnp_premium": None}), id="null premium"),
        pytest.param(PAID, json.dumps({**AHCIP_PAID, "assessed_fee": 24.5}), id="money as number"),
        pytest.param(PAID, json.dumps({**AHCIP_PAID, "ba_number": "null"}), id="null as text"),
        pytest.param(
            REJECTED, json.dumps({**AHCIP_REJECTED, "explanatory_codes": None}), id="null codes"
        ),
        pytest.param(
            REJECTED,
            json.dumps({**AHCIP_REJECTED, "explanatory_codes": ["05BB"] * 50}),
            id="fifty codes",
        ),
        pytest.param(
            EXPIRED,
            json.dumps(_without(AHCIP_EXPIRED, "ba_number", "hsc_code", "submitted_fee")),
            id="an unfinished claim",
        ),
        pytest.param(
            EXPIRED, json.dumps({**AHCIP_EXPIRED, "submitted_fee": 25.5}), id="a fee as number"
        ),
    ],
)
def test_the_usual_ways_to_write_an_event_take_the_fast_way(
    contract: ClaimContract, value: str
) -> None:
    assert agree(binary(value.encode(), contract), contract)


@pytest.mark.parametrize(
    "headers",
    [
        {"time": "2026-01-16T09:30:01.123456-07:00"},
        {"content_type": None},
        {"content_type": "application/json; charset=utf-8"},
        {"subject": "a claim", "traceparent": "00-1-1-00"},
    ],
    ids=str,
)
def test_the_usual_headers_take_the_fast_way(headers: dict[str, Any]) -> None:
    assert agree(binary(json.dumps(AHCIP_SUBMITTED).encode(), **headers), SUBMITTED)


@pytest.mark.parametrize(
    ("name", "literal"),
    [
        ("modifiers", '["NULL"]'),
        ("modifiers", '["A B", "a,b", "\\"", "\\\\"]'),
        ("claim_version", "1e2"),
        ("claim_version", "100.0"),
        ("date_of_service", '"2024-02-29"'),
        ("date_of_service", '"2025-02-29"'),
        ("date_of_service", '"2026-01-17"'),
        ("submitted_at", '"2026-01-16T09:30:00.1234565Z"'),
        ("submitted_at", '"2026-01-16T09:30:00+16:00"'),
        ("submitted_at", '"2100-12-31T23:30:00-01:00"'),
        ("hsc_code", '"a?"'),
        ("hsc_code", '"[]"'),
        ("hsc_code", '"\\\\N"'),
        ("hsc_code", '"\x7f"'),
        ("ba_number", '"1", "ba_number": "2"'),
        ("form_id", 'null, "form_id": null'),
        ("form_id", 'null, "state": "PAID"'),
        ("form_id", 'null, "assessed_fee": null'),
    ],
)
def test_what_may_be_read_in_two_ways_is_left_to_the_strict_way(name: str, literal: str) -> None:
    value = with_literal(AHCIP_SUBMITTED, name, literal)
    assert not agree(binary(value), SUBMITTED)


@pytest.mark.parametrize(
    ("contract", "name", "literal"),
    [
        (REJECTED, "explanatory_codes", '["NULL"]'),
        (REJECTED, "explanatory_codes", '["01", null]'),
        (REJECTED, "explanatory_codes", '["39 A", "a,b", "{}", "\\"", "\\\\"]'),
        (REJECTED, "explanatory_codes", '["01"], "explanatory_codes": ["02"]'),
        (SUBMITTED, "form_id", 'null, "explanatory_codes": ["01"]'),
        (EXPIRED, "submitted_fee", "025.09"),
        (EXPIRED, "submitted_fee", 'null, "submitted_fee": "1"'),
        (EXPIRED, "timing_tier", '"LATE"'),
        (EXPIRED, "form_id", '"C151"'),
    ],
)
def test_so_is_what_the_other_events_add(contract: ClaimContract, name: str, literal: str) -> None:
    value = with_literal(AHCIP[contract.topic], name, literal)
    assert not agree(binary(value, contract), contract)


def test_a_member_that_comes_twice_is_found_where_another_is_missing() -> None:
    data = _without(AHCIP_SUBMITTED, "timing_tier")
    assert not agree(binary(with_literal(data, "form_id", 'null, "form_id": null')), SUBMITTED)


@pytest.mark.parametrize(
    "value",
    [b"[" * 100_000, b'{"a":' * 100_000, b'{"claim_id":' + b"[" * 100_000, b"\xff", b'{"\xff"'],
)
def test_what_is_no_json_is_left_to_the_strict_way(value: bytes) -> None:
    assert not agree(binary(value), SUBMITTED)


def test_a_payment_before_the_service_is_refused() -> None:
    value = json.dumps({**AHCIP_PAID, "payment_date": "2026-01-14"}).encode()
    assert not agree(binary(value, PAID), PAID)
