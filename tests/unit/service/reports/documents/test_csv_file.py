from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from service.reports.documents.csv_file import CHUNK_BYTES, CsvCell, CsvTable, csv_chunks, csv_text
from tests.unit.service.reports.documents.reading import csv_lines


async def written(table: CsvTable) -> bytes:
    return b"".join([chunk async for chunk in csv_chunks(table)])


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1+1", "-A", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=", "-", "-1e3", "-\u0661",
     " =1", "\xa0=1", "\u3000=1", " \xa0 @A1", "\u200b=1", "\ufeff+1", "\x00=1", "\x0b-1+1", " -1",
     "\uff1d1", "\uff0b1", "\uff0d1", "\uff20A1", " \uff1d1", "\ufe661", "\u22121"],
)  # fmt: skip
def test_a_cell_that_would_run_as_a_formula_is_defused(text: str) -> None:
    assert csv_text(text) == f"'{text}"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (Decimal("-12.50"), "-12.50"),
        ("-12.50", "-12.50"),
        (-3, "-3"),
        (Decimal("0E-2"), "0.00"),
        (Decimal("12345678.90"), "12345678.90"),
        (None, ""),
        (True, "true"),
        (date(2025, 3, 9), "2025-03-09"),
        (datetime(2025, 3, 9, 4, 5, tzinfo=UTC), "2025-03-09T04:05:00+00:00"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        ("03.03A", "03.03A"),
        ("a=b", "a=b"),
        (" a", " a"),
        ("\u3000", "\u3000"),
        ("a \uff1db", "a \uff1db"),
        ("", ""),
    ],
)
def test_a_harmless_cell_reads_as_it_is(cell: CsvCell, text: str) -> None:
    assert csv_text(cell) == text


async def test_delimiters_quotes_and_line_ends_in_a_cell_come_back() -> None:
    nasty = ['a,b "c"', "two\r\nlines", "lone\rreturn", "Đặng\u2028"]

    lines = csv_lines(await written(CsvTable(["cell"], [[text] for text in nasty])))

    assert [line["cell"] for line in lines] == nasty


async def test_a_line_with_one_empty_cell_is_still_a_line() -> None:
    assert await written(CsvTable(["cell"], [[None]])) == b'cell\r\n""\r\n'


async def test_a_long_table_comes_in_chunks_of_some_64_kb() -> None:
    rows = ([f"row {number}", "x" * 90] for number in range(5_000))

    chunks = [chunk async for chunk in csv_chunks(CsvTable(["a", "b"], rows))]

    assert len(chunks) > 5
    assert all(CHUNK_BYTES <= len(chunk) < CHUNK_BYTES + 200 for chunk in chunks[:-1])
