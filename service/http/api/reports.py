"""`/v1/reports`: what reports there are, and their files."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from repositories.reading.reports import ShownReport, shown_report, shown_reports
from repositories.vocabulary import ReportStatus
from service.http.api import shapes
from service.http.api.guard import IS_HEAD
from service.http.api.parameters import (
    ReportId,
    ReportsAsked,
    report_id_of,
    report_place,
    to_cursor,
)
from service.http.api.problems import no_such_report
from service.http.api.reading import Downloader, ReportReader, answer, reading
from service.http.api.tokens import Caller

reports = APIRouter(prefix="/reports", tags=["reports"])

FILE = {"schema": {"type": "string", "format": "binary"}}
DOWNLOADED = {
    "description": "The file. Only its whole length makes it genuine: throw away less",
    "content": dict.fromkeys(("application/pdf", "text/csv", "application/zip"), FILE),
    "headers": {
        name: {"description": said, "schema": {"type": "string"}}
        for name, said in {
            "Content-Length": "`file_size_bytes`",
            "Content-Disposition": "A name for the file, of its type and period",
            "Accept-Ranges": "`none`: a Range is not looked at",
        }.items()
    },
}
GONE = {"description": "Its time is over, by the clock", "model": shapes.ProblemDetails}


@reports.get("", response_model=None, responses={200: {"model": shapes.Reports}})
async def list_reports(
    request: Request, caller: ReportReader, asked: Annotated[ReportsAsked, Query()]
) -> Response:
    """The provider's reports, the newest first."""
    after = report_place(asked.cursor)
    async with reading(request).provider.scope(caller.provider_id) as connection:
        found = await shown_reports(
            connection,
            caller.provider_id,
            report_type=asked.type,
            status=asked.status,
            after=after,
            limit=asked.limit + 1,
        )
    page = found[: asked.limit]
    following = to_cursor(page[-1].place) if len(found) > asked.limit else None
    return answer({"reports": [vars(each) for each in page], "next": following})


@reports.get("/{report_id}", response_model=None, responses={200: {"model": shapes.Report}})
async def one_report(request: Request, caller: ReportReader, report_id: ReportId) -> Response:
    """One report, whatever its state."""
    return answer(vars(await _found(request, caller, report_id)))


@reports.get("/{report_id}/download", response_model=None, responses={200: DOWNLOADED, 410: GONE})
async def download(request: Request, caller: Downloader, report_id: ReportId) -> Response:
    """The file of a report that is ready.

    A report that is not this provider's, that does not exist and that is not ready are all the
    same: 404. One whose time is over is 410. An answer that is shorter than `Content-Length` was
    broken off: ask again. `downloaded` is noted after the last byte.
    """
    report = await _found(request, caller, report_id)
    if report.status not in (ReportStatus.READY, ReportStatus.EXPIRED):
        raise no_such_report()
    downloads = reading(request).downloads
    return await downloads.of(report, caller, without_body=request.scope.get(IS_HEAD, False))


async def _found(request: Request, caller: Caller, report_id: str) -> ShownReport:
    """Raises Problem: nothing but this one look, in the provider's own scope, decides."""
    asked = report_id_of(report_id)
    async with reading(request).provider.scope(caller.provider_id) as connection:
        report = await shown_report(connection, caller.provider_id, asked)
    if report is None:
        raise no_such_report()
    return report
