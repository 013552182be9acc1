"""PostgreSQL reads a line of COPY, made in either way, as the row that it was made of."""

import json
from io import BytesIO

from asyncpg import Connection

from consumers.contracts.decode import decode
from repositories.claims.rows import ClaimEventRow, copy_line
from tests.unit.consumers.field_cases import AHCIP_REJECTED, CASES, REJECTED
from tests.unit.consumers.records import AHCIP_SUBMITTED, SUBMITTED, binary, with_literal

COLUMNS = ", ".join(ClaimEventRow._fields)
TEXTS = ["a\\b", "\\N", "\\.", 'a"b', "{a,b}", "a\tb", "a\nb\r", "\v\f\b", " a ", "NULL", "é😀"]
TIMES = ["2026-01-16T23:59:59.999999+14:59", "2026-01-16T09:30:00.5-14:00"]
WRITTEN = [
    *((case.contract, case.base, case.field, literal) for case in CASES for literal in case.good),
    *((SUBMITTED, AHCIP_SUBMITTED, "hsc_code", json.dumps(text)) for text in TEXTS),
    *((SUBMITTED, AHCIP_SUBMITTED, "modifiers", json.dumps([text])) for text in TEXTS),
    *((REJECTED, AHCIP_REJECTED, "explanatory_codes", json.dumps([text])) for text in TEXTS),
]


async def test_every_line_becomes_its_row(observer: Connection) -> None:
    events = [
        (binary(with_literal(data, name, literal), contract, time=time), contract)
        for contract, data, name, literal in WRITTEN
        for time in TIMES
    ]
    rows, lines, fast = [], [], 0
    for record, contract in events:
        row = decode(record, contract)
        assert isinstance(row, ClaimEventRow)
        ordinary = contract.ordinary.line(record) if contract.ordinary else None
        fast += ordinary is not None
        rows += [row, row]
        lines += [copy_line(row), ordinary or copy_line(row)]
    assert fast > len(events) / 3
    await observer.execute(
        f"CREATE TEMPORARY TABLE copied AS SELECT {COLUMNS} FROM claim_events LIMIT 0"
    )
    source = BytesIO(b"".join(line + b"\n" for line in lines))
    await observer.copy_to_table("copied", source=source, columns=ClaimEventRow._fields)
    assert [ClaimEventRow(*stored) for stored in await observer.fetch("TABLE copied")] == rows
