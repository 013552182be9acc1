"""CSV as RFC 4180 has it: UTF-8, CRLF, quotes where needed, one header line.

A spreadsheet runs a cell that starts like a formula, also behind blanks and letters that nobody
sees, which some cut off first, and with the wide or small forms of the signs, which some take for
them. A claim's text fields come from outside, so such cells get an apostrophe in front, which
spreadsheets show as plain text.
"""

import csv
import io
import re
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

CHUNK_BYTES = 64 * 1024
CsvCell = str | int | bool | Decimal | date | UUID | None
CsvRow = Sequence[CsvCell]

_SIGNS = "=+-@" + "\uff1d\uff0b\uff0d\uff20" + "\ufe66\ufe62\ufe63\ufe6b" + "\u2212"
_UNSEEN = r"\s\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_FORMULA = re.compile(rf"[\t\r\n]|[{_UNSEEN}]*[{re.escape(_SIGNS)}]")
_NEGATIVE_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class CsvTable:
    header: Sequence[str]
    rows: Iterable[CsvRow] | AsyncIterable[CsvRow]


async def csv_chunks(table: CsvTable) -> AsyncGenerator[bytes, None]:
    """The file in pieces of some 64 KB, holding no more than one of them."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(table.header)
    async for row in _each(table.rows):
        writer.writerow([csv_text(cell) for cell in row])
        if buffer.tell() >= CHUNK_BYTES:
            yield _take(buffer)
    yield _take(buffer)


def csv_text(cell: CsvCell) -> str:
    """A cell's text: money with its decimals, ISO dates and times, `true` or `false`."""
    if isinstance(cell, str):
        return defused(cell)
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, Decimal):
        return f"{cell:f}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def defused(text: str) -> str:
    """Text that no spreadsheet runs; a negative number stays one."""
    if _FORMULA.match(text) and not _NEGATIVE_NUMBER.fullmatch(text):
        return f"'{text}"
    return text


async def _each(rows: Iterable[CsvRow] | AsyncIterable[CsvRow]) -> AsyncIterator[CsvRow]:
    if isinstance(rows, AsyncIterable):
        async for row in rows:
            yield row
    else:
        for row in rows:
            yield row


def _take(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return data
