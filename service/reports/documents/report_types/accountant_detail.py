"""ACCOUNTANT_DETAIL: every paid claim, with subtotals by month. No patient is named in the PDF."""

from dataclasses import dataclass, field
from datetime import date

from repositories.report_rows import ClaimRow
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents.definition import ReportDefinition, as_pdf, as_streamed_csv
from service.reports.documents.frame import framed
from service.reports.documents.model import (
    Block,
    Column,
    Document,
    Group,
    Heading,
    KeyFigures,
    Kind,
    Row,
    Table,
    table,
)
from service.reports.documents.period import first_of_month
from service.reports.documents.places import Places
from service.reports.documents.report_types.accountant_csv import detail_table
from service.reports.documents.request import RenderRequest
from service.reports.documents.source import ReportSource
from service.reports.documents.tallies import Tally, total
from service.reports.documents.wording import month_text

NOTHING_PAID = "No paid claims in this period."
COLUMNS = (
    Column("Service date", Kind.DATE),
    Column("Code"),
    Column("Modifiers"),
    Column("Payer"),
    Column("Submitted ($)", Kind.MONEY),
    Column("Assessed ($)", Kind.MONEY),
    Column("Payment date", Kind.DATE),
    Column("BA number"),
    Column("Location"),
)
MONTH_COLUMNS = (
    Column("Month of service"),
    Column("Paid claims", Kind.COUNT),
    Column("Submitted ($)", Kind.MONEY),
    Column("Assessed ($)", Kind.MONEY),
)


@dataclass(slots=True)
class Month:
    """A month's rows and their sums."""

    rows: list[Row] = field(default_factory=list)
    submitted: Tally = field(default_factory=Tally)
    assessed: Tally = field(default_factory=Tally)

    def add(self, claim: ClaimRow, places: Places) -> None:
        self.rows.append(_row(claim, places))
        self.submitted.add(claim.submitted_fee)
        self.assessed.add(claim.assessed_fee)


Months = dict[date, Month]


async def query(request: RenderRequest, rows: ReportSource) -> Months:
    """Months in the order of their claims, which come by date of service."""
    months: Months = {}
    places, period = Places(request.provider), request.period
    async for claim in rows.paid_claims(period.start, period.end):
        months.setdefault(first_of_month(claim.date_of_service), Month()).add(claim, places)
    return months


def show(request: RenderRequest, months: Months) -> Document:
    submitted = total(month.submitted for month in months.values())
    assessed = total(month.assessed for month in months.values())
    blocks: list[Block] = [
        KeyFigures(
            [
                ("Total revenue ($)", Kind.MONEY, assessed.amount),
                ("Paid claims", Kind.COUNT, assessed.count),
                ("Submitted for them ($)", Kind.MONEY, submitted.amount),
            ]
        ),
        Heading("By month"),
        _overview(months, submitted, assessed),
        *_claims(months, submitted, assessed),
    ]
    return framed(request, "Accountant detail", blocks)


def _overview(months: Months, submitted: Tally, assessed: Tally) -> Table:
    rows: list[Row] = [
        [month_text(first), month.assessed.count, month.submitted.amount, month.assessed.amount]
        for first, month in months.items()
    ]
    whole: Row = ["Total", assessed.count, submitted.amount, assessed.amount]
    return table(MONTH_COLUMNS, rows, NOTHING_PAID, whole)


def _claims(months: Months, submitted: Tally, assessed: Tally) -> list[Block]:
    if not months:
        return []
    groups = [
        Group(month.rows, month_text(first), _sums("Subtotal", month.submitted, month.assessed))
        for first, month in months.items()
    ]
    whole = _sums("Total", submitted, assessed)
    return [Table(COLUMNS, groups, NOTHING_PAID, whole, dense=True)]


def _sums(name: str, submitted: Tally, assessed: Tally) -> Row:
    claims = f"{assessed.count:,} claim" + ("" if assessed.count == 1 else "s")
    return [name, claims, None, None, submitted.amount, assessed.amount, None, None, None]


def _row(claim: ClaimRow, places: Places) -> Row:
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
