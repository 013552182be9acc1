"""What happens when the rows fail, or the reader goes away, in the middle of a file."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import pytest

from repositories.reports.rows import ClaimHistoryRow, ClaimRow
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents import render
from service.reports.documents.request import RenderRequest
from tests.unit.service.reports.documents.examples import Rows, claim, request

CASES = [
    request(ReportType.ACCOUNTANT_SUMMARY, ReportFormat.CSV),
    request(ReportType.ACCOUNTANT_SUMMARY, ReportFormat.PDF),
    request(ReportType.DATA_PORTABILITY, ReportFormat.ZIP),
]


class DatabaseGone(Exception):
    pass


class Failing(Rows):
    """Hands out many rows, then fails."""

    async def paid_claims(self, start: date, end: date) -> AsyncIterator[ClaimRow]:
        for number in range(2_000):
            yield claim(number)
        raise DatabaseGone

    def all_claims(self) -> AsyncIterator[ClaimRow]:
        return self.paid_claims(date.min, date.max)


class Endless(Rows):
    async def all_claims(self) -> AsyncIterator[ClaimRow]:
        while True:
            yield claim(1)
            await asyncio.sleep(0)  # others get their turn here

    async def claim_history(self) -> AsyncIterator[ClaimHistoryRow]:
        raise AssertionError("the claims never end")
        yield


@pytest.mark.parametrize("asked", CASES, ids=lambda asked: asked.report.format)
async def test_a_failure_of_the_rows_reaches_the_reader(asked: RenderRequest) -> None:
    with pytest.raises(DatabaseGone):
        async for _chunk in render(asked, Failing()):
            pass


async def test_a_reader_may_leave_an_endless_archive() -> None:
    async def read_on() -> None:
        async for _chunk in render(CASES[-1], Endless()):
            pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read_on(), timeout=0.5)
