"""The detail of a dead letter never shows a character of the message.

Every sentence of ours is ASCII and has no run of the digits that are planted here.
"""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.contracts.decode import decode
from consumers.contracts.refusal import DeadLetter
from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from consumers.engine.dead_letters import dead_letter_headers
from tests.unit.consumers.records import (
    AHCIP,
    AHCIP_SUBMITTED,
    GOOD,
    KafkaRecord,
    attributes,
    binary,
    refused,
    structured,
    with_literal,
)

DIGITS = "5557778"
SECRET = "Жщ漢ø" + DIGITS
PLANTED = [
    json.dumps(SECRET),
    json.dumps(SECRET, ensure_ascii=False),
    DIGITS * 3,
    f"-{DIGITS}.{DIGITS}",
    f'["{SECRET}", {DIGITS}]',
    json.dumps({SECRET: SECRET, "claim_id": DIGITS}),
    f'"2026-{DIGITS}"',
    f'"\\ud800{SECRET}"',
]
# Each field of each rule once, whichever event has it.
FIELDS = {
    (name, field.description): (contract, AHCIP[contract.topic], name)
    for contract in CLAIM_CONTRACTS
    for name, field in contract.data.model_fields.items()
}


def _assert_private(letter: DeadLetter) -> None:
    assert letter.detail.isascii(), letter.detail
    assert letter.detail.isprintable(), letter.detail
    assert DIGITS not in letter.detail
    added = dict(dead_letter_headers(letter, "claims")[len(letter.record.headers) :])
    assert all(value.isascii() and DIGITS.encode() not in value for value in added.values())


@pytest.mark.parametrize("literal", PLANTED, ids=ascii)
@pytest.mark.parametrize(("contract", "data", "name"), FIELDS.values())
def test_no_field_shows_its_value(
    contract: ClaimContract, data: dict[str, Any], name: str, literal: str
) -> None:
    letter = refused(binary(with_literal(data, name, literal), contract), contract)
    assert letter.detail.startswith(f"{name}: must be ")
    _assert_private(letter)


@pytest.mark.parametrize("attribute", ["specversion", "type", "time", "content_type"])
def test_no_attribute_shows_its_value(attribute: str) -> None:
    changed: dict[str, Any] = {attribute: SECRET}
    _assert_private(refused(binary(json.dumps(AHCIP_SUBMITTED).encode(), **changed)))
    event = {**attributes(), "data": AHCIP_SUBMITTED, "datacontenttype": SECRET, **changed}
    _assert_private(refused(structured(event)))


@pytest.mark.parametrize("version", [f"2{DIGITS}", DIGITS])
def test_no_version_of_a_type_is_shown(version: str) -> None:
    _assert_private(refused(binary(b"{}", type=f"ca.meritum.claim.submitted.v{version}")))


@pytest.mark.parametrize(
    "value",
    [
        f'{{"{SECRET}": 1, "{SECRET}": 2}}',
        f'{{"{SECRET}": NaN}}',
        f'{{"claim_id": "{SECRET}',
        f'"{SECRET}"',
        DIGITS,
        f'{{"claim_id": {DIGITS}x}}',
        "[" * 3000 + f'"{SECRET}"',
    ],
    ids=ascii,
)
def test_no_broken_json_is_shown(value: str) -> None:
    _assert_private(refused(binary(value.encode())))
    as_structured = KafkaRecord(value.encode(), structured({}).headers)
    _assert_private(refused(as_structured))


_secrets = st.text(st.characters(min_codepoint=0x100), min_size=1, max_size=12)
_secret_json = st.recursive(
    _secrets | st.just(int(DIGITS)) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_secrets, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(base=st.sampled_from(GOOD), planted=st.data())
def test_no_combination_of_planted_values_is_shown(
    base: tuple[ClaimContract, dict[str, Any]], planted: st.DataObject
) -> None:
    contract, good = base
    names = st.sampled_from(sorted(good)) | _secrets
    changes = planted.draw(st.dictionaries(names, _secret_json, min_size=1, max_size=6))
    outcome = decode(binary(json.dumps({**good, **changes}).encode(), contract), contract)
    if isinstance(outcome, DeadLetter):
        _assert_private(outcome)
