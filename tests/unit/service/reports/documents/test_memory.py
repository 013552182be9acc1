"""Ten times the rows take no more memory, for files that are streamed."""

import tracemalloc
from collections.abc import AsyncIterator
from datetime import date

import pytest

from repositories.reports.rows import ClaimHistoryRow, ClaimRow
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents import render
from service.reports.documents.request import RenderRequest
from tests.unit.service.reports.documents.examples import COMPUTED_AT, Rows, claim, request

SPARE = 256 * 1024  # bytes; a chunk is 64 KB
CASES = [
    request(ReportType.ACCOUNTANT_DETAIL, ReportFormat.CSV),
    request(ReportType.DATA_PORTABILITY, ReportFormat.ZIP),
    request(ReportType.DATA_PORTABILITY, ReportFormat.ZIP, password="correct horse battery"),
]


class Stream(Rows):
    """Makes its rows as they are read; holds none."""

    def __init__(self, count: int) -> None:
        super().__init__(cached=())
        self._count = count

    async def paid_claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        for number in range(self._count):
            yield claim(number)

    def all_claims(self) -> AsyncIterator[ClaimRow]:
        return self.paid_claims(date.min, date.max)

    async def claim_history(self) -> AsyncIterator[ClaimHistoryRow]:
        async for row in self.all_claims():
            yield ClaimHistoryRow(row, COMPUTED_AT, COMPUTED_AT)


async def peak(asked: RenderRequest, count: int) -> int:
    tracemalloc.start()
    try:
        async for _chunk in render(asked, Stream(count)):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.filterwarnings("ignore:PBKDF2 without:DeprecationWarning")  # WinZip's format has it
@pytest.mark.parametrize("asked", CASES, ids=["csv", "zip", "locked zip"])
async def test_ten_times_the_rows_take_no_more_memory(asked: RenderRequest) -> None:
    await peak(asked, 1_000)  # what is loaded once, with the first whole chunk too

    assert await peak(asked, 5_000) < await peak(asked, 500) + SPARE
