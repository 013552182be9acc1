"""DATA_PORTABILITY: all that is known of a physician's claims, as files that any tool can read."""

from collections.abc import AsyncGenerator
from datetime import UTC

from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents.csv_file import csv_chunks
from service.reports.documents.definition import ReportDefinition
from service.reports.documents.frame import physician_name
from service.reports.documents.report_types.portable_files import (
    CLAIM_HISTORY,
    CLAIMS,
    FILES,
    METRICS,
    PROVIDER,
    REPORTS,
    PortableFile,
    sites,
)
from service.reports.documents.request import RenderRequest
from service.reports.documents.source import ReportSource
from service.reports.documents.zip_file import ZipMember, zip_chunks

README = "README.txt"


def render_zip(request: RenderRequest, rows: ReportSource) -> AsyncGenerator[bytes, None]:
    """The explanation first; rows are read file by file, as the archive grows."""
    tables = (
        (PROVIDER.name, PROVIDER.table(sites(request.provider))),
        (CLAIMS.name, CLAIMS.table(rows.all_claims())),
        (CLAIM_HISTORY.name, CLAIM_HISTORY.table(rows.claim_history())),
        (METRICS.name, METRICS.table(rows.metrics())),
        (REPORTS.name, REPORTS.table(rows.reports())),
    )
    members = [ZipMember(README, _once(readme(request).encode()))]
    members += [ZipMember(name, csv_chunks(table)) for name, table in tables]
    return zip_chunks(members, request.requested_at.astimezone(UTC), request.password)


async def _once(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data


def readme(request: RenderRequest) -> str:
    """What the archive holds, column by column; lines end in CRLF, as in the CSV files."""
    requested = request.requested_at.astimezone(UTC)
    lines = [
        f"Claim data of {physician_name(request.provider)}",
        f"Requested {requested:%Y-%m-%d %H:%M} UTC, report {request.report_id}",
        "",
        "These files hold everything that Claim Analytics knows of this physician's claims.",
        "They contain personal health numbers of patients: keep them as you keep patient records.",
        "",
        "All .csv files are UTF-8 text, fields separated by commas, one heading line (RFC 4180).",
        "Dates are YYYY-MM-DD, times are in ISO 8601 with their offset. An empty field is unknown",
        "or does not apply. A field that a spreadsheet would run as a formula has an apostrophe",
        "before it.",
    ]
    for file in FILES:
        lines += ["", *_described(file)]
    return "\r\n".join([*lines, ""])


def _described(file: PortableFile[object]) -> list[str]:
    width = max(len(column.name) for column in file.columns)
    columns = [f"  {column.name:<{width}}  {column.meaning}" for column in file.columns]
    return [f"{file.name}: {file.about}", *columns]


DEFINITION = ReportDefinition(ReportType.DATA_PORTABILITY, {ReportFormat.ZIP: render_zip})
