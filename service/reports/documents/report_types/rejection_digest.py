"""REJECTION_DIGEST: the rejected claims of a period, by code and one by one.

Only the state of a claim is known so far; the payer's explanatory codes come with later events.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from repositories.report_rows import ClaimRow
from repositories.vocabulary import ClaimState, ReportFormat, ReportType
from service.reports.documents.csv_file import CsvTable
from service.reports.documents.definition import ReportDefinition, as_csv, as_pdf
from service.reports.documents.frame import framed
from service.reports.documents.model import (
    Block,
    Column,
    Document,
    Group,
    Heading,
    KeyFigures,
    Kind,
    Note,
    Row,
    Table,
    table,
)
from service.reports.documents.places import Places
from service.reports.documents.report_types.accountant_csv import MODIFIER_SEPARATOR
from service.reports.documents.report_types.activity import Activity
from service.reports.documents.request import RenderRequest
from service.reports.documents.source import ReportSource
from service.reports.documents.tallies import Tally, largest_first, percent

NONE_REJECTED = "No claim with a date of service in this period stands rejected."
CSV_HEADER = (
    "claim_id",
    "date_of_service",
    "claim_type",
    "hsc_code",
    "form_id",
    "modifiers",
    "ba_number",
    "location",
    "submitted_fee",
    "submitted_at",
)


@dataclass(slots=True)
class Rejections:
    activity: Activity = field(default_factory=Activity)
    claims: list[ClaimRow] = field(default_factory=list)

    def by_code(self) -> dict[str, Tally]:
        """Submitted fees by health service code, or by form for a claim without one."""
        tallies: dict[str, Tally] = defaultdict(Tally)
        for claim in self.claims:
            tallies[claim.hsc_code or claim.form_id or "No code"].add(claim.submitted_fee)
        return tallies


async def query(request: RenderRequest, rows: ReportSource) -> Rejections:
    """Holds the rejected claims only."""
    rejections, period = Rejections(), request.period
    async for claim in rows.claims(period.start, period.end):
        rejections.activity.add(claim)
        if claim.state is ClaimState.REJECTED:
            rejections.claims.append(claim)
    return rejections


def show(request: RenderRequest, rejections: Rejections) -> Document:
    activity = rejections.activity
    figures = KeyFigures(
        [
            ("Rejected claims", Kind.COUNT, activity.rejected.count),
            ("Submitted for them ($)", Kind.MONEY, activity.rejected.amount),
            ("Decided claims", Kind.COUNT, activity.decided),
            ("Rejection rate", Kind.PERCENT, activity.rejection_rate),
        ]
    )
    details = _details(request, rejections) if rejections.claims else [Note(NONE_REJECTED)]
    return framed(request, "Rejection digest", [figures, *details])


def _details(request: RenderRequest, rejections: Rejections) -> list[Block]:
    return [
        Heading("By service"),
        _codes(rejections),
        Note(
            "The payer's explanatory codes, which say why a claim was rejected, are not part of "
            "the data that this report is made from."
        ),
        Heading("By claim"),
        _claims(request, rejections),
    ]


def _codes(rejections: Rejections) -> Table:
    columns = [
        Column("Code or form"),
        Column("Rejected claims", Kind.COUNT),
        Column("Submitted ($)", Kind.MONEY),
        Column("Share", Kind.PERCENT),
    ]
    whole = rejections.activity.rejected
    rows = [
        [code, tally.count, tally.amount, percent(tally.count, whole.count)]
        for code, tally in largest_first(rejections.by_code())
    ]
    closing: Row = ["Total", whole.count, whole.amount, percent(whole.count, whole.count)]
    return table(columns, rows, NONE_REJECTED, closing)


def _claims(request: RenderRequest, rejections: Rejections) -> Table:
    columns = [
        Column("Service date", Kind.DATE),
        Column("Claim"),
        Column("Payer"),
        Column("Code"),
        Column("BA number"),
        Column("Location"),
        Column("Submitted ($)", Kind.MONEY),
    ]
    places = Places(request.provider)
    rows = [
        [
            claim.date_of_service,
            str(claim.claim_id),
            claim.claim_type,
            claim.hsc_code or claim.form_id,
            claim.ba_number,
            places.cell(claim.location_id),
            claim.submitted_fee,
        ]
        for claim in rejections.claims
    ]
    whole = rejections.activity.rejected
    closing = ["Total", f"{whole.count:,}", *[None] * 4, whole.amount]
    return Table(columns, [Group(rows)], NONE_REJECTED, closing, dense=True)


def flatten(request: RenderRequest, rejections: Rejections) -> CsvTable:
    """One line per rejected claim."""
    places = Places(request.provider)
    lines = [
        [
            claim.claim_id,
            claim.date_of_service,
            claim.claim_type,
            claim.hsc_code,
            claim.form_id,
            MODIFIER_SEPARATOR.join(claim.modifiers),
            claim.ba_number,
            places.cell(claim.location_id),
            claim.submitted_fee,
            claim.submitted_at,
        ]
        for claim in rejections.claims
    ]
    return CsvTable(CSV_HEADER, lines)


DEFINITION = ReportDefinition(
    ReportType.REJECTION_DIGEST,
    {ReportFormat.PDF: as_pdf(query, show), ReportFormat.CSV: as_csv(query, flatten)},
)
