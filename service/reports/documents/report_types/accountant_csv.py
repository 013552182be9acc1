"""The rows of the two accountant CSVs: one per paid claim, streamed."""

from collections.abc import AsyncIterator, Callable

from repositories.report_rows import ClaimRow
from service.reports.documents.csv_file import CsvCell, CsvTable
from service.reports.documents.places import Places
from service.reports.documents.request import RenderRequest
from service.reports.documents.source import ReportSource

MODIFIER_SEPARATOR = ";"
SUMMARY_HEADER = (
    "date_of_service",
    "hsc_code",
    "modifiers",
    "submitted_fee",
    "assessed_fee",
    "payment_date",
    "ba_number",
    "location",
    "claim_type",
)
DETAIL_HEADER = ("claim_id", "patient_phn", *SUMMARY_HEADER)

RowOf = Callable[[ClaimRow, Places], list[CsvCell]]


def summary_table(request: RenderRequest, rows: ReportSource) -> CsvTable:
    return CsvTable(SUMMARY_HEADER, _paid(request, rows, _summary_row))


def detail_table(request: RenderRequest, rows: ReportSource) -> CsvTable:
    """PHI: the second column is the patient's health number."""
    return CsvTable(DETAIL_HEADER, _paid(request, rows, _detail_row))


async def _paid(
    request: RenderRequest, rows: ReportSource, row_of: RowOf
) -> AsyncIterator[list[CsvCell]]:
    places, period = Places(request.provider), request.period
    async for claim in rows.paid_claims(period.start, period.end):
        yield row_of(claim, places)


def _summary_row(claim: ClaimRow, places: Places) -> list[CsvCell]:
    return [
        claim.date_of_service,
        claim.hsc_code,
        MODIFIER_SEPARATOR.join(claim.modifiers),
        claim.submitted_fee,
        claim.assessed_fee,
        claim.payment_date,
        claim.ba_number,
        places.cell(claim.location_id),
        claim.claim_type,
    ]


def _detail_row(claim: ClaimRow, places: Places) -> list[CsvCell]:
    return [claim.claim_id, claim.patient_phn, *_summary_row(claim, places)]
