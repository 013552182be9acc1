"""Whatever a record holds, decoding gives a row or a dead letter and raises nothing."""

import json
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.contracts.asyncapi import schema_file
from consumers.contracts.decode import decode
from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from repositories.claims.rows import ClaimEventRow
from tests.unit.consumers.field_cases import CASES
from tests.unit.consumers.records import GOOD, STRUCTURED, KafkaRecord, attributes, binary

FROM_THE_DATABASE = {DeadLetterReason.PROVIDER_MISMATCH, DeadLetterReason.VERSION_CONFLICT}
SCHEMAS = {c.topic: jsonschema.Draft202012Validator(schema_file(c)) for c in CLAIM_CONTRACTS}
LITERALS = sorted({literal for case in CASES for literal in [*case.good, *case.bad]})

contracts = st.sampled_from(CLAIM_CONTRACTS)
any_text = st.text(st.characters(exclude_categories=()), max_size=20)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=10,
)
header_names = st.sampled_from(
    [*(f"ce_{name}" for name in attributes()), "content-type", "ce_subject", "dlq-attempts"]
)
header_values = st.one_of(
    st.binary(max_size=30),
    st.sampled_from([value.encode() for value in attributes().values()]),
    st.sampled_from([b"application/json", STRUCTURED.encode(), b"text/plain"]),
    st.none(),
)
any_headers = st.lists(st.tuples(header_names | st.text(max_size=10), header_values), max_size=10)


def _decoded(record: KafkaRecord, contract: ClaimContract) -> ClaimEventRow | DeadLetter:
    outcome = decode(record, contract)
    assert isinstance(outcome, (ClaimEventRow, DeadLetter))
    if isinstance(outcome, DeadLetter):
        assert outcome.reason not in FROM_THE_DATABASE
        assert outcome.detail
    assert decode(record, contract) == outcome
    return outcome


@settings(max_examples=300, deadline=None)
@given(contract=contracts, value=st.none() | st.binary(max_size=200), headers=any_headers)
def test_any_bytes_under_any_headers(contract: ClaimContract, value: Any, headers: Any) -> None:
    _decoded(KafkaRecord(value, headers), contract)


@settings(max_examples=200, deadline=None)
@given(contract=contracts, value=st.binary(max_size=300))
def test_any_bytes_under_good_headers(contract: ClaimContract, value: bytes) -> None:
    assert isinstance(_decoded(binary(value, contract), contract), DeadLetter)


@settings(max_examples=200, deadline=None)
@given(contract=contracts, value=any_json)
def test_any_json_in_both_modes(contract: ClaimContract, value: object) -> None:
    raw = json.dumps(value).encode()
    assert isinstance(_decoded(binary(raw, contract), contract), DeadLetter)
    as_structured = KafkaRecord(raw, [("content-type", STRUCTURED.encode())])
    assert isinstance(_decoded(as_structured, contract), DeadLetter)


@settings(max_examples=300, deadline=None)
@given(base=st.sampled_from(GOOD), changes=st.data())
def test_events_that_are_nearly_right(
    base: tuple[ClaimContract, dict[str, Any]], changes: st.DataObject
) -> None:
    contract, good = base
    names = st.sampled_from(sorted(good))
    literals = st.sampled_from(LITERALS) | any_json.map(json.dumps)
    changed = changes.draw(st.dictionaries(names, literals, max_size=3))
    members = {name: json.dumps(value) for name, value in good.items()} | changed
    text = "{" + ", ".join(f'"{name}": {literal}' for name, literal in members.items()) + "}"
    outcome = _decoded(binary(text.encode(), contract), contract)
    if isinstance(outcome, ClaimEventRow):
        SCHEMAS[contract.topic].validate(json.loads(text))


@settings(max_examples=300, deadline=None)
@given(base=st.sampled_from(GOOD), cut=st.data())
def test_good_events_with_bytes_cut_out_or_put_in(
    base: tuple[ClaimContract, dict[str, Any]], cut: st.DataObject
) -> None:
    contract, good = base
    raw = json.dumps(good).encode()
    start = cut.draw(st.integers(0, len(raw)))
    end = cut.draw(st.integers(start, min(len(raw), start + 8)))
    _decoded(binary(raw[:start] + cut.draw(st.binary(max_size=4)) + raw[end:], contract), contract)


@settings(max_examples=200, deadline=None)
@given(
    base=st.sampled_from(GOOD),
    changes=st.dictionaries(
        st.sampled_from([*attributes(), "data", "datacontenttype", "data_base64"]),
        any_json,
        max_size=3,
    ),
)
def test_structured_events_that_are_nearly_right(
    base: tuple[ClaimContract, dict[str, Any]], changes: dict[str, object]
) -> None:
    contract, good = base
    event = {**attributes(contract), "data": good, **changes}
    raw = json.dumps(event).encode()
    _decoded(KafkaRecord(raw, [("content-type", STRUCTURED.encode())]), contract)
