"""Records that are nearly right have one outcome both ways, whatever is wrong with them."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.contracts.decode import decode
from consumers.contracts.registry import CLAIM_CONTRACTS, ClaimContract
from repositories.claims.rows import ClaimEventRow, copy_line
from tests.unit.consumers.both_ways import agree
from tests.unit.consumers.copy_lines import row_of
from tests.unit.consumers.field_cases import CASES
from tests.unit.consumers.records import (
    AHCIP,
    AHCIP_SUBMITTED,
    GOOD,
    SUBMITTED,
    KafkaRecord,
    attributes,
    binary,
)

Data = dict[str, Any]
contracts = st.sampled_from(CLAIM_CONTRACTS)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
LITERALS = sorted({literal for case in CASES for literal in [*case.good, *case.bad]})
_BY_FIELD: dict[str, list[str]] = {}
for case in CASES:
    _BY_FIELD.setdefault(case.field, []).extend([*case.good, *case.bad])
_SPACES = st.sampled_from(["", "", " ", "\n", "\t ", "\r\n", "\f", "\u00a0"])
_TIMES = [literal.strip('"') for literal in _BY_FIELD["submitted_at"]]


@st.composite
def near_misses(draw: st.DrawFn) -> tuple[KafkaRecord, ClaimContract]:
    """A good event with a few members replaced, added twice, left out, and spaced otherwise."""
    contract, good = draw(st.sampled_from(GOOD))
    members = [(name, json.dumps(value)) for name, value in good.items()]
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(members) - 1))
        name = members[place][0]
        match draw(st.sampled_from(["own", "own", "any", "twice", "out", "unknown"])):
            case "own":
                members[place] = (name, draw(st.sampled_from(_BY_FIELD.get(name, LITERALS))))
            case "any":
                members[place] = (name, draw(st.sampled_from(LITERALS)))
            case "twice":
                members.insert(draw(st.integers(0, len(members))), members[place])
            case "out":
                del members[place]
            case "unknown":
                members.append((draw(st.sampled_from(["state", "claim_Id", "x", ""])), "null"))
    if draw(st.booleans()):
        members = draw(st.permutations(members))
    space, after = draw(_SPACES), draw(_SPACES)
    text = f",{space}".join(f'"{name}"{after}:{space}{value}' for name, value in members)
    value = f"{space}{{{text}{after}}}{space}".encode()
    changed = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "time": st.sampled_from(_TIMES),
                "id": st.sampled_from(["", "1", "é", None, b"\xff"]),
                "content_type": st.sampled_from([None, "text/plain", "application/json"]),
                "specversion": st.sampled_from(["1.0", "0.3", None]),
                "type": st.sampled_from([contract.event.name, "other", None]),
            },
        )
    )
    return binary(value, contract, **(changed if draw(st.booleans()) else {})), contract


@settings(max_examples=1500, deadline=None)
@given(case=near_misses())
def test_near_misses_have_one_outcome_both_ways(case: tuple[KafkaRecord, ClaimContract]) -> None:
    agree(*case)


@settings(max_examples=500, deadline=None)
@given(
    base=st.sampled_from(GOOD),
    place=st.floats(0, 1),
    cut=st.integers(0, 6),
    put=st.sampled_from([b"", b" ", b'"', b":", b"\\", b"0", b"\0", b"\xc3", b"?", b"null", b"\n"])
    | st.binary(max_size=4),
)
def test_changed_bytes_have_one_outcome_both_ways(
    base: tuple[ClaimContract, Data], place: float, cut: int, put: bytes
) -> None:
    contract, good = base
    raw = json.dumps(good).encode()
    start = int(place * len(raw))
    agree(binary(raw[:start] + put + raw[start + cut :], contract), contract)


@settings(max_examples=300, deadline=None)
@given(
    contract=contracts,
    value=st.none() | st.binary(max_size=60),
    headers=st.lists(
        st.tuples(
            st.sampled_from([f"ce_{name}" for name in attributes()] + ["content-type"]),
            st.none() | st.sampled_from([text.encode() for text in attributes().values()]),
        ),
        max_size=9,
    ),
)
def test_garbage_has_one_outcome_both_ways(
    contract: ClaimContract, value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    agree(KafkaRecord(value, headers), contract)
    good = json.dumps(AHCIP[contract.topic]).encode()
    agree(KafkaRecord(good, [*binary(good, contract).headers, *headers]), contract)


@given(some=st.lists(texts, min_size=3, max_size=3))
def test_any_text_survives_a_line_of_copy(some: list[str]) -> None:
    row = decode(binary(json.dumps(AHCIP_SUBMITTED).encode()), SUBMITTED)
    assert isinstance(row, ClaimEventRow)
    row = row._replace(hsc_code=some[0], source_topic=some[1], modifiers=some)
    assert row_of(copy_line(row)) == row
