"""Records that were good, or bad in a known way, and then suffered. Same number, same record."""

import base64
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from consumers.contracts.registry import READ_CONTRACTS
from tests.unit.consumers.example_files import contract_of, in_structured_mode, lines, record_of
from tests.unit.consumers.field_cases import CASES
from tests.unit.consumers.literals import BAD_TIMES, TIMES
from tests.unit.consumers.records import GOOD, STRUCTURED, KafkaRecord, binary

Members = list[tuple[str, str]]  # names, one perhaps twice, and values as JSON text


class Input(NamedTuple):
    topic: str  # by its default name
    record: KafkaRecord


TOPICS = [contract.topic for contract in READ_CONTRACTS]
LITERALS = sorted({literal for case in CASES for literal in [*case.good, *case.bad]})
LITERALS = [literal for literal in LITERALS if len(literal) < 1000]
TEXTS = [
    "", " ", "\0", "\t", "\n", "\\", '"', "é", "e\u0301", "Ω", "漢字", "\u202e", "\ufeff", "\u2028",
    "😀", "\ud800", "\udc00x", "NULL", "null", r"\N", "{}", "?", "١٢٣", "\uff11\uff12", "A" * 11,
    "A" * 201, "2026-02-29", "2024-02-29", "2026-01-16T09:30:00Z", "1" * 9,
]  # fmt: skip
NUMBERS = [
    "0", "-0", "00", "1", "01", "-1", "1.0", "1.", ".5", "1e2", "1E+400", "0.1", "12.345", "1e-7",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "1" * 400, "+1", "0x1", "1_0",
    "NaN", "Infinity", "-Infinity", "99999999.99", "100000000",
]  # fmt: skip
WORDS = [
    "null",
    "null",
    "true",
    "false",
    "[]",
    "{}",
    '""',
    "nul",
    "True",
    "undefined",
    "'x'",
    "[1,]",
    '{"a":1,}',
]
BYTES = [b"", b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b'"', b"\\", b":", b",", b"{", b"}", b"[",
         b"]", b" ", b"\n", b"\t", b"\x0b", b"?", b"null", b"\\u0000", b"\\ud800", b"\xed\xa0\x80",
         b"\xc0\x80", b"\xf4\x90\x80\x80"]  # fmt: skip
SPACES = ["", "", " ", "\n", "\r\n", "\t "]
NO_SPACES = ["\f", "\u00a0", "/**/", "\0"]
HEADER_NAMES = [
    "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_subject", "ce_traceparent",
    "traceparent", "content-type", "Content-Type", "CE_TYPE", "dlq-attempts", "dlq-redrive-of",
    "dlq-topic", "dlq-offset", "", "é",
]  # fmt: skip
HEADER_VALUES: list[bytes | None] = [
    None, b"", b"\0", b"\xff\xfe", b"1.0", b"0.3", b"1", b"application/json", b"text/plain",
    b"Application/JSON ; charset=UTF-8", STRUCTURED.encode(), b"application/avro+json",
    b"2026-01-16T16:30:01Z", b"2026-01-16t16:30:01.1234567-07:00", b"2026-01-16", b"x" * 5000,
    b"claims-in:3:41:1768581001250", b"claims-in:3:4", b"9999999999", b"-1", "é".encode(),
    b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", b"00-zz-1-01",
    *(contract.event.name.encode() for contract in READ_CONTRACTS),
    *(contract.event.name.replace(".v1", ".v2").encode() for contract in READ_CONTRACTS[:2]),
]  # fmt: skip


VALUES_OF: dict[str, list[bytes | None]] = {  # beside those above, which any can have
    "content-type": [
        None, b"application/json", b"application/json;charset=utf8", b"text/plain", b"text/json",
        b"application/problem+json", STRUCTURED.encode(), b"application/json; charset=UTF-8",
    ],
    "ce_time": [literal.strip('"').encode() for literal in [*TIMES, *BAD_TIMES]],
}  # fmt: skip


@cache
def originals() -> Sequence[Input]:
    """What suffers: all examples, in both modes, and every claim event in its usual form."""
    found = [
        Input(contract.topic, binary(json.dumps(data).encode(), contract))
        for contract, data in GOOD
    ]
    for folder in ("accepted", "impossible", "rejected", "conflicting"):
        for _, line in lines(folder):
            found.append(Input(contract_of(line).topic, record_of(line)))
            if "topic" not in line:
                found.append(Input(contract_of(line).topic, in_structured_mode(line)))
    return found


def mutated(seed: int, number: int) -> Input:
    """The input of this number; none depends on another."""
    rng = random.Random((seed << 40) + number)
    topic, record = rng.choice(originals())
    for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3, 5))):
        record = rng.choices(MUTATIONS, WEIGHTS)[0](rng, record)
    if rng.random() < 0.02:
        topic = rng.choice(TOPICS)
    record = replace(
        record,
        partition=rng.choice((0, 3)),
        offset=rng.choice((0, 42, 2**63 - 1)),
        timestamp=rng.choice((-(2**63), -1, 0, 1_768_581_001_250, 2**63 - 1)),
    )
    return Input(topic, record)


def _members(rng: random.Random, record: KafkaRecord) -> KafkaRecord:
    """Members of the data, or of the structured event, changed one by one, and written anew."""
    try:
        message = json.loads(record.value or b"")
    except (ValueError, RecursionError):
        return _bytes(rng, record)
    if not isinstance(message, dict) or not message:
        return _bytes(rng, record)
    if b"[" * 20 in (record.value or b"") or b'{"a":' * 20 in (record.value or b""):
        return _bytes(rng, record)  # writing it anew would take longer than all else
    if isinstance(message.get("data"), dict) and message["data"] and rng.random() < 0.7:
        rest = [(name, json.dumps(value)) for name, value in message.items() if name != "data"]
        data = _written(rng, _changed(rng, message["data"]))
        return _with_text(record, _written(rng, [*rest, ("data", data)]))
    return _with_text(record, _written(rng, _changed(rng, message)))


def _changed(rng: random.Random, data: dict[str, object]) -> Members:
    members = [(name, json.dumps(value)) for name, value in data.items()]
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(members)) if members else 0
        name, value = members[at] if members else ("x", "1")
        match rng.randrange(9):
            case 0 | 1 | 2:
                members[at : at + 1] = [(name, _literal(rng))]
            case 3:  # of another member: the right kind in the wrong place
                members[at : at + 1] = [(name, rng.choice(members)[1] if members else "1")]
            case 4:
                del members[at : at + 1]
            case 5 if rng.random() < 0.3:
                members.insert(rng.randint(0, len(members)), (name, rng.choice((value, "null"))))
            case 5 | 6:
                members.append((rng.choice(("state", "x", "", "data", "Claim_id")), _literal(rng)))
            case 7:
                rng.shuffle(members)
            case _:
                members[at : at + 1] = [(name + rng.choice(("\0", " ", "é")), value)]
    return members


def _literal(rng: random.Random) -> str:
    match rng.randrange(7):
        case 0 | 1:
            return rng.choice(LITERALS)
        case 2:
            return rng.choice(NUMBERS)
        case 3:
            return rng.choice(WORDS)
        case 4:
            text = "".join(rng.choices(TEXTS, k=rng.choice((1, 1, 2))))
            return json.dumps(text, ensure_ascii=rng.random() < 0.5)
        case 5:
            text = "".join(chr(rng.choice((rng.randrange(0x80), rng.randrange(0x11_0000))))
                           for _ in range(rng.randrange(1, 12)))  # fmt: skip
            return json.dumps(text, ensure_ascii=rng.random() < 0.5)
        case _:
            items = ", ".join(_literal(rng) for _ in range(rng.choice((0, 1, 2, 4))))
            return f"[{items}]"


def _written(rng: random.Random, members: Members) -> str:
    """As JSON, mostly; with spaces where JSON has them, and with what only looks like spaces."""
    space, after = (rng.choice(SPACES if rng.random() < 0.98 else NO_SPACES) for _ in range(2))
    parts = (f"{json.dumps(name)}{after}:{space}{value}" for name, value in members)
    return f"{space}{{{f',{space}'.join(parts)}{after}}}"


def _bytes(rng: random.Random, record: KafkaRecord) -> KafkaRecord:
    """Some bytes flipped, put in, cut out, doubled, or all after them cut off."""
    raw = bytearray(record.value or b"")
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randint(0, len(raw))
        match rng.randrange(6):
            case 0 if at < len(raw):
                raw[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(raw):
                raw[at] = rng.randrange(256)
            case 2:
                raw[at:at] = rng.choice(BYTES)
            case 3:
                del raw[at : at + rng.randint(1, 8)]
            case 4:
                raw[at:at] = raw[at : at + rng.randint(1, 40)]
            case _:
                if rng.random() < 0.3:
                    del raw[at:]
    return replace(record, value=bytes(raw))


def _spliced(rng: random.Random, record: KafkaRecord) -> KafkaRecord:
    """The beginning of one message and the end of another."""
    one, other = record.value or b"", rng.choice(originals()).record.value or b""
    return replace(
        record, value=one[: rng.randint(0, len(one))] + other[rng.randint(0, len(other)) :]
    )


def _nested(rng: random.Random, record: KafkaRecord) -> KafkaRecord:
    """As deep as is allowed, a level more, or far too deep; closed again or not."""
    depth = rng.choice((2, 20, 498, 499, 500, 501, 600, 3_000))
    opening, closing = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    inner = rng.choice((record.value or b"", b"1", b"", b'"x"'))
    value = opening * depth + inner + closing * rng.choice((depth, depth, depth - 1, 0))
    if rng.random() < 0.5 and (record.value or b"").rstrip().endswith(b"}"):
        value = (record.value or b"").rstrip()[:-1] + b', "x": ' + value + b"}"
    return replace(record, value=value)


def _headers(rng: random.Random, record: KafkaRecord) -> KafkaRecord:
    headers: list[tuple[str, Any]] = list(record.headers)  # a value may be missing
    at = rng.randrange(len(headers)) if headers else 0
    value = rng.choice(HEADER_VALUES) if rng.random() < 0.9 else rng.randbytes(rng.randrange(20))
    if headers and rng.random() < 0.7:
        value = rng.choice(VALUES_OF.get(headers[at][0], HEADER_VALUES))
    match rng.randrange(6):
        case 0:
            del headers[at : at + 1]
        case 1 | 2 if headers:
            headers[at] = (headers[at][0], value)
        case 3:
            rng.shuffle(headers)
        case 4:
            headers.append(("dlq-redrive-of", value))
        case _:
            headers.insert(rng.randint(0, len(headers)), (rng.choice(HEADER_NAMES), value))
    return replace(record, headers=headers)


def _noise(rng: random.Random, record: KafkaRecord) -> KafkaRecord:
    raw = rng.randbytes(rng.randrange(200))
    others = (None, raw, base64.b64encode(raw), json.dumps(raw.decode("latin-1")).encode())
    return replace(record, value=rng.choice(others))


def _with_text(record: KafkaRecord, text: str) -> KafkaRecord:
    return replace(record, value=text.encode("utf-8", "surrogatepass"))


Mutation = Callable[[random.Random, KafkaRecord], KafkaRecord]
BY_WEIGHT: dict[Mutation, int] = {
    _members: 65, _bytes: 10, _headers: 15, _spliced: 3, _nested: 2, _noise: 2,
}  # fmt: skip
MUTATIONS, WEIGHTS = list(BY_WEIGHT), list(BY_WEIGHT.values())
