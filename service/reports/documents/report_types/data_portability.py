"""DATA_PORTABILITY: all that is known of a physician's claims, as files that any tool can read."""

import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Generic, TypeVar

from repositories.reports import rows as stored
from repositories.vocabulary import ClaimState, ReportFormat, ReportType
from service.reports.documents.csv_file import CsvCell, CsvTable, csv_chunks
from service.reports.documents.definition import ReportDefinition
from service.reports.documents.report_types.accountant_detail import SEPARATOR
from service.reports.documents.request import RenderRequest, ReportSource
from service.reports.documents.wording import figures_as_of, physician_name, time_text
from service.reports.documents.zip_file import ZipMember, zip_chunks

R = TypeVar("R")

Site = tuple[stored.ProviderProfile, stored.Location | None]
README = "README.txt"


@dataclass(frozen=True, slots=True)
class PortableColumn(Generic[R]):
    name: str
    meaning: str
    value: Callable[[R], CsvCell]


@dataclass(frozen=True, slots=True)
class PortableFile(Generic[R]):
    """One file; its columns are its documentation too."""

    name: str
    about: str
    columns: tuple[PortableColumn[R], ...]

    def table(self, rows: AsyncIterable[R]) -> CsvTable:
        return CsvTable([column.name for column in self.columns], self._lines(rows))

    async def _lines(self, rows: AsyncIterable[R]) -> AsyncIterator[list[CsvCell]]:
        values = [column.value for column in self.columns]
        async for row in rows:
            yield [value(row) for value in values]


def _claim_columns(claim_of: Callable[[R], stored.ClaimRow]) -> tuple[PortableColumn[R], ...]:
    """The columns of a claim, for rows that are or hold one."""

    def column(name: str, meaning: str) -> PortableColumn[R]:
        return PortableColumn(name, meaning, lambda row: getattr(claim_of(row), name))

    return (
        column("claim_id", "identity of the claim"),
        column("claim_version", "grows with every change of the claim"),
        column("state", ", ".join(ClaimState)),
        column("claim_type", "AHCIP or WCB"),
        column("date_of_service", "day of the service"),
        column("patient_phn", "patient's personal health number"),
        column("ba_number", "business arrangement"),
        column("location_id", "practice location; provider.csv has its name"),
        column("hsc_code", "health service code"),
        PortableColumn(
            "modifiers",
            "up to three, separated by semicolons",
            lambda row: SEPARATOR.join(claim_of(row).modifiers),
        ),
        column("form_id", "WCB form"),
        column("timing_tier", "SAME_DAY, ON_TIME or LATE, for WCB"),
        column("submitted_fee", "dollars; empty in an unfinished draft"),
        column("submitted_at", "time of submission, the newest known"),
        column("submission_deadline", "last day to submit, the newest known"),
        column("assessed_fee", "dollars that the payer assessed"),
        column("payment_date", "day of payment"),
        column("rrnp_premium", "dollars of rural and northern premium"),
        PortableColumn(
            "explanatory_codes",
            "the payer's, why it assessed or rejected so, separated by semicolons",
            lambda row: SEPARATOR.join(claim_of(row).explanatory_codes),
        ),
        column(
            "created_at", "time at which the claim was begun, if it was known before it was sent"
        ),
    )


def _dimension(row: stored.MetricRow) -> tuple[str | None, str | None]:
    return next(iter(row.dimensions.items())) if row.dimensions else (None, None)


CLAIMS: PortableFile[stored.ClaimRow] = PortableFile(
    "claims.csv",
    "each claim as it is now",
    _claim_columns(lambda claim: claim),
)
CLAIM_HISTORY: PortableFile[stored.ClaimHistoryRow] = PortableFile(
    "claim_history.csv",
    "each change of each claim: the claim as it stood after it",
    (
        *_claim_columns(lambda row: row.claim),
        PortableColumn("occurred_at", "when the change happened", lambda row: row.occurred_at),
        PortableColumn("applied_at", "when this service took it in", lambda row: row.applied_at),
    ),
)
METRICS: PortableFile[stored.MetricRow] = PortableFile(
    "metrics.csv",
    "figures by month of service, and by day: of service, deadline or beginning",
    (
        PortableColumn("metric_key", "name of the figure", lambda row: row.metric_key),
        PortableColumn(
            "period_start", "first day of the month, or the day", lambda row: row.period_start
        ),
        PortableColumn(
            "period_end", "last day of the month, or the same day", lambda row: row.period_end
        ),
        PortableColumn(
            "dimension", "what it is broken down by, empty for all", lambda row: _dimension(row)[0]
        ),
        PortableColumn("dimension_value", "which one", lambda row: _dimension(row)[1]),
        PortableColumn(
            "value",
            "the figure as JSON; money is text in dollars",
            lambda row: json.dumps(row.value, ensure_ascii=False, sort_keys=True),
        ),
        PortableColumn("computed_at", "when it was computed", lambda row: row.computed_at),
    ),
)


def _report_column(name: str, meaning: str) -> PortableColumn[stored.ReportRow]:
    return PortableColumn(name, meaning, lambda row: getattr(row, name))


REPORTS: PortableFile[stored.ReportRow] = PortableFile(
    "reports.csv",
    "the reports that were made",
    (
        _report_column("report_id", "identity of the report"),
        _report_column("report_type", "what it shows"),
        _report_column("format", "PDF, CSV or ZIP"),
        _report_column("period_start", "first day, empty if it covers everything"),
        _report_column("period_end", "last day"),
        _report_column("status", "pending, generating, ready, failed, expired"),
        _report_column("file_size_bytes", "size of the file"),
        _report_column("downloaded", "true once it was downloaded"),
        _report_column("scheduled", "true if no person asked for it"),
        _report_column("created_at", "when it was asked for"),
        _report_column("download_link_expires_at", "until when its file is kept"),
    ),
)

PROVIDER: PortableFile[Site] = PortableFile(
    "provider.csv",
    "the physician, a line per practice location",
    (
        PortableColumn("provider_id", "identity of the physician", lambda s: s[0].provider_id),
        PortableColumn("first_name", "first name", lambda s: s[0].first_name),
        PortableColumn("last_name", "last name", lambda s: s[0].last_name),
        PortableColumn("billing_number", "billing number", lambda s: s[0].billing_number),
        PortableColumn(
            "location_id", "practice location", lambda s: s[1].location_id if s[1] else None
        ),
        PortableColumn("location_name", "its name", lambda s: s[1].name if s[1] else None),
        PortableColumn(
            "rrnp_rate", "its premium, in percent", lambda s: s[1].rrnp_rate if s[1] else None
        ),
    ),
)
FILES: tuple[PortableFile[Any], ...] = (PROVIDER, CLAIMS, CLAIM_HISTORY, METRICS, REPORTS)


async def sites(provider: stored.ProviderProfile) -> AsyncIterator[Site]:
    """The provider once for each location, or once alone."""
    for location in provider.locations or (None,):
        yield provider, location


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
    lines = [
        f"Claim data of {physician_name(request.provider)}",
        f"Requested {time_text(request.requested_at)}, report {request.report.report_id}",
        f"Figures as of {figures_as_of(request)}",
        "",
        "These files hold everything that Claim Analytics knows of this physician's claims.",
        "Of the AI coach they hold its figures (metrics.csv), not its single suggestions.",
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
