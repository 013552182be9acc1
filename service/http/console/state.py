"""What the console's routes share, as dependencies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse

from repositories.errors import DatabaseUnavailable, RepositoryError
from repositories.operations.letter_states import LetterFilter, count_letters
from repositories.postgres.database import Database
from repositories.reports.generated_reports import count_reports
from repositories.vocabulary import LetterState, ReportStatus
from service.http.console.access import Visitor, reader
from service.http.console.fleet import Fleet
from service.http.console.work import Work
from service.settings import Settings

RECENTLY = timedelta(days=7)
DATABASE_SECONDS = 4.0  # for what a page asks


@asynccontextmanager
async def asking() -> AsyncIterator[None]:
    """Within it the database has a few seconds to answer. Raises a RepositoryError."""
    try:
        async with asyncio.timeout(DATABASE_SECONDS):
            yield
    except TimeoutError:
        raise DatabaseUnavailable(
            f"PostgreSQL did not answer within {DATABASE_SECONDS:.0f} seconds"
        ) from None


@dataclass(frozen=True)
class Tallies:
    """What every page shows beside the names of the others."""

    open_letters: int
    failed_reports: int  # of the last seven days


@dataclass(frozen=True)
class Console:
    """For one request."""

    request: Request
    visitor: Visitor

    @property
    def settings(self) -> Settings:
        settings: Settings = self.request.app.state.settings
        return settings

    @property
    def database(self) -> Database:
        database: Database = self.request.app.state.database
        return database

    @property
    def fleet(self) -> Fleet:
        fleet: Fleet = self.request.app.state.fleet
        return fleet

    @property
    def work(self) -> Work:
        work: Work = self.request.app.state.work
        return work

    async def tallies(self) -> Tallies:
        letters = await count_letters(self.database, LetterFilter(states=[LetterState.OPEN]))
        async with self.database.snapshot() as connection:
            reports = await count_reports(connection, RECENTLY)
        return Tallies(letters, reports.get(ReportStatus.FAILED, 0))

    async def answer(self, template: str, **values: Any) -> HTMLResponse:
        """A page with the frame of all pages."""
        if "tallies" not in values:
            values["tallies"] = await self._tallies_if_there()
        answer: HTMLResponse = self.request.app.state.pages.answer(
            self.request, template, visitor=self.visitor, **values
        )
        return answer

    async def _tallies_if_there(self) -> Tallies | None:
        try:
            async with asking():
                return await self.tallies()
        except RepositoryError:
            return None


def _console(request: Request, visitor: Annotated[Visitor, Depends(reader)]) -> Console:
    return Console(request, visitor)


Shared = Annotated[Console, Depends(_console)]
