"""ACCOUNTANT_DETAIL: every paid claim, with subtotals by month. No patient is named in the PDF."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import date

from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ClaimState, ReportFormat, ReportType
from service.reports.documents import model as doc
from service.reports.documents.csv_file import CsvCell, CsvTable
from service.reports.documents.definition import ReportDefinition, as_pdf, as_streamed_csv
from service.reports.documents.figures import Tally, adjustment, total
from service.reports.documents.request import RenderRequest, ReportSource, first_of_month
from service.reports.documents.wording import Places, framed, month_text

SEPARATOR = ";"  # in a cell of several values
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

NOTHING_PAID = "No paid claims in this period."
COLUMNS = (
    doc.Column("Service date", doc.Kind.DATE),
    doc.Column("Code"),
    doc.Column("Modifiers"),
    doc.Column("Payer"),
    doc.Column("Submitted ($)", doc.Kind.MONEY),
    doc.Column("Assessed ($)", doc.Kind.MONEY),
    doc.Column("Payment date", doc.Kind.DATE),
    doc.Column("BA number"),
    doc.Column("Location"),
)
MONTH_COLUMNS = (
    doc.Column("Month of service"),
    doc.Column("Paid claims", doc.Kind.COUNT),
    doc.Column("Submitted ($)", doc.Kind.MONEY),
    doc.Column("Assessed ($)", doc.Kind.MONEY),
    doc.Column("Adjusted claims", doc.Kind.COUNT),
    doc.Column("Their difference ($)", doc.Kind.MONEY),
)


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
        SEPARATOR.join(claim.modifiers),
        claim.submitted_fee,
        claim.assessed_fee,
        claim.payment_date,
        claim.ba_number,
        places.cell(claim.location_id),
        claim.claim_type,
    ]


def _detail_row(claim: ClaimRow, places: Places) -> list[CsvCell]:
    return [claim.claim_id, claim.patient_phn, *_summary_row(claim, places)]


@dataclass(slots=True)
class Month:
    """A month's rows and their sums."""

    rows: list[doc.Row] = field(default_factory=list)
    submitted: Tally = field(default_factory=Tally)
    assessed: Tally = field(default_factory=Tally)
    adjustments: Tally = field(default_factory=Tally)

    def add(self, claim: ClaimRow, places: Places) -> None:
        self.rows.append(_row(claim, places))
        self.submitted.add(claim.submitted_fee)
        self.assessed.add(claim.assessed_fee)
        if claim.state is ClaimState.ADJUSTED:
            self.adjustments.add(adjustment(claim))


Months = dict[date, Month]


async def query(request: RenderRequest, rows: ReportSource) -> Months:
    """Months in the order of their claims, which come by date of service."""
    months: Months = {}
    places, period = Places(request.provider), request.period
    async for claim in rows.paid_claims(period.start, period.end):
        months.setdefault(first_of_month(claim.date_of_service), Month()).add(claim, places)
    return months


def show(request: RenderRequest, months: Months) -> doc.Document:
    submitted = total(month.submitted for month in months.values())
    assessed = total(month.assessed for month in months.values())
    blocks: list[doc.Block] = [
        doc.KeyFigures(
            [
                ("Total revenue ($)", doc.Kind.MONEY, assessed.amount),
                ("Paid claims", doc.Kind.COUNT, assessed.count),
                ("Submitted for them ($)", doc.Kind.MONEY, submitted.amount),
            ]
        ),
        doc.Heading("By month"),
        _overview(months, submitted, assessed),
        doc.Note(
            "An adjusted claim is one that the payer corrected after paying it; the difference is "
            "what was assessed for these claims less what was submitted."
        ),
        *_claims(months, submitted, assessed),
    ]
    return framed(request, "Accountant detail", blocks)


def _overview(months: Months, submitted: Tally, assessed: Tally) -> doc.Table:
    adjustments = total(month.adjustments for month in months.values())
    rows = [
        _overview_row(month_text(first), month.submitted, month.assessed, month.adjustments)
        for first, month in months.items()
    ]
    whole = _overview_row("Total", submitted, assessed, adjustments)
    return doc.table(MONTH_COLUMNS, rows, NOTHING_PAID, whole)


def _overview_row(name: str, submitted: Tally, assessed: Tally, adjustments: Tally) -> doc.Row:
    money = submitted.amount, assessed.amount
    return [name, assessed.count, *money, adjustments.count, adjustments.amount]


def _claims(months: Months, submitted: Tally, assessed: Tally) -> list[doc.Block]:
    if not months:
        return []
    groups = [
        doc.Group(month.rows, month_text(first), _sums("Subtotal", month.submitted, month.assessed))
        for first, month in months.items()
    ]
    whole = _sums("Total", submitted, assessed)
    return [doc.Table(COLUMNS, groups, NOTHING_PAID, whole, dense=True)]


def _sums(name: str, submitted: Tally, assessed: Tally) -> doc.Row:
    claims = f"{assessed.count:,} claim" + ("" if assessed.count == 1 else "s")
    return [name, claims, None, None, submitted.amount, assessed.amount, None, None, None]


def _row(claim: ClaimRow, places: Places) -> doc.Row:
    return [
        claim.date_of_service,
        claim.hsc_code or claim.form_id,
        " ".join(claim.modifiers) or None,
        claim.claim_type,
        claim.submitted_fee,
        claim.assessed_fee,
        claim.payment_date,
        claim.ba_number,
        places.cell(claim.location_id),
    ]


DEFINITION = ReportDefinition(
    ReportType.ACCOUNTANT_DETAIL,
    {
        ReportFormat.CSV: as_streamed_csv(detail_table),
        ReportFormat.PDF: as_pdf(query, show),
    },
)
