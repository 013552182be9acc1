"""ACCOUNTANT_SUMMARY: a period's revenue on two to four pages."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ClaimState, ClaimType, ReportFormat, ReportType
from service.reports.documents import model as doc
from service.reports.documents.definition import ReportDefinition, as_pdf, as_streamed_csv
from service.reports.documents.figures import ZERO, Tally, adjustment, largest_first, percent, total
from service.reports.documents.report_types.accountant_detail import summary_table
from service.reports.documents.request import Period, RenderRequest, ReportSource, first_of_month
from service.reports.documents.wording import NO_BA, Places, framed, month_labels, month_text

MOST_ROWS = 12  # of a breakdown, so that four pages hold any number of BAs and locations
NOTHING_PAID = "No paid claims in this period."


def _by_payer() -> dict[ClaimType, Tally]:
    return {payer: Tally() for payer in ClaimType}


@dataclass(slots=True)
class Revenue:
    """Paid claims, added up one by one; amounts are assessed fees in dollars."""

    submitted: dict[ClaimType, Tally] = field(default_factory=_by_payer)
    paid: dict[ClaimType, Tally] = field(default_factory=_by_payer)
    adjusted: dict[ClaimType, Tally] = field(default_factory=_by_payer)
    adjustment: dict[ClaimType, Tally] = field(default_factory=_by_payer)  # less what was submitted
    by_ba: dict[str | None, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_location: dict[UUID | None, Tally] = field(default_factory=lambda: defaultdict(Tally))
    by_month: dict[date, dict[ClaimType, Tally]] = field(
        default_factory=lambda: defaultdict(_by_payer)
    )
    premium: Tally = field(default_factory=Tally)

    def add(self, claim: ClaimRow) -> None:
        payer, fee = claim.claim_type, claim.assessed_fee
        self.submitted[payer].add(claim.submitted_fee)
        self.paid[payer].add(fee)
        self.by_ba[claim.ba_number].add(fee)
        self.by_location[claim.location_id].add(fee)
        self.by_month[first_of_month(claim.date_of_service)][payer].add(fee)
        if claim.state is ClaimState.ADJUSTED:
            self.adjusted[payer].add(fee)
            self.adjustment[payer].add(adjustment(claim))
        if claim.rrnp_premium:
            self.premium.add(claim.rrnp_premium)

    @property
    def total(self) -> Tally:
        return total(self.paid.values())


async def query(request: RenderRequest, rows: ReportSource) -> Revenue:
    revenue, period = Revenue(), request.period
    async for claim in rows.paid_claims(period.start, period.end):
        revenue.add(claim)
    return revenue


def show(request: RenderRequest, revenue: Revenue) -> doc.Document:
    known = sorted(ba for ba in revenue.by_ba if ba)
    front: list[doc.Block] = [
        _key_figures(revenue),
        doc.Heading("Revenue by payer"),
        _payers(revenue),
    ]
    chart = _chart(revenue, request.period)
    blocks = [*front, chart, *_notes(), doc.PageBreak(), *_breakdowns(request, revenue)]
    return framed(request, "Accountant summary", blocks, [("BA numbers", _listed(known))])


def _breakdowns(request: RenderRequest, revenue: Revenue) -> list[doc.Block]:
    return [
        doc.Heading("Revenue by month"),
        _months(revenue, request.period),
        doc.Heading("Revenue by business arrangement"),
        _breakdown("BA number", [(ba or NO_BA, t) for ba, t in largest_first(revenue.by_ba)]),
        doc.Heading("Revenue by location"),
        _breakdown("Location", _locations(request, revenue)),
    ]


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - MOST_ROWS} more" if len(names) > MOST_ROWS else ""
    return ", ".join(names[:MOST_ROWS]) + rest or "None in this period"


def _key_figures(revenue: Revenue) -> doc.KeyFigures:
    return doc.KeyFigures(
        [
            ("Total revenue ($)", doc.Kind.MONEY, revenue.total.amount),
            ("Paid claims", doc.Kind.COUNT, revenue.total.count),
            ("RRNP premium ($)", doc.Kind.MONEY, revenue.premium.amount),
            ("Adjusted claims", doc.Kind.COUNT, total(revenue.adjusted.values()).count),
        ]
    )


def _payers(revenue: Revenue) -> doc.Table:
    columns = [
        doc.Column("Payer"),
        doc.Column("Paid claims", doc.Kind.COUNT),
        doc.Column("Submitted ($)", doc.Kind.MONEY),
        doc.Column("Revenue ($)", doc.Kind.MONEY),
        doc.Column("Share", doc.Kind.PERCENT),
        doc.Column("Adjusted claims", doc.Kind.COUNT),
        doc.Column("Adjusted revenue ($)", doc.Kind.MONEY),
        doc.Column("Difference ($)", doc.Kind.MONEY),
    ]
    rows = [_payer_row(payer, revenue) for payer in ClaimType]
    return doc.table(columns, rows, NOTHING_PAID, _payer_total(revenue))


def _payer_row(payer: ClaimType, revenue: Revenue) -> doc.Row:
    paid, adjusted = revenue.paid[payer], revenue.adjusted[payer]
    return [
        str(payer),
        paid.count,
        revenue.submitted[payer].amount,
        paid.amount,
        percent(paid.amount, revenue.total.amount),
        adjusted.count,
        adjusted.amount,
        revenue.adjustment[payer].amount,
    ]


def _payer_total(revenue: Revenue) -> doc.Row:
    paid, adjusted = revenue.total, total(revenue.adjusted.values())
    submitted = total(revenue.submitted.values()).amount
    return [
        "Total",
        paid.count,
        submitted,
        paid.amount,
        percent(paid.amount, paid.amount),
        adjusted.count,
        adjusted.amount,
        total(revenue.adjustment.values()).amount,
    ]


def _chart(revenue: Revenue, period: Period) -> doc.BarChart:
    months = period.months()
    series = [
        doc.Series(payer, [_of_month(revenue, month, payer).amount for month in months])
        for payer in ClaimType
    ]
    title = "Revenue by month of service ($)"
    return doc.BarChart(title, doc.Kind.MONEY, month_labels(months), series, stacked=True)


def _of_month(revenue: Revenue, month: date, payer: ClaimType) -> Tally:
    return revenue.by_month.get(month, {}).get(payer) or Tally()


def _locations(request: RenderRequest, revenue: Revenue) -> list[tuple[str, Tally]]:
    places = Places(request.provider)
    return [(places.label(id_), tally) for id_, tally in largest_first(revenue.by_location)]


def _breakdown(title: str, parts: list[tuple[str, Tally]]) -> doc.Table:
    columns = [
        doc.Column(title),
        doc.Column("Paid claims", doc.Kind.COUNT),
        doc.Column("Revenue ($)", doc.Kind.MONEY),
        doc.Column("Share", doc.Kind.PERCENT),
    ]
    whole = total(tally for _, tally in parts)
    rows = [_breakdown_row(name, tally, whole.amount) for name, tally in _shortened(parts)]
    return doc.table(columns, rows, NOTHING_PAID, _breakdown_row("Total", whole, whole.amount))


def _breakdown_row(name: str, tally: Tally, whole: Decimal) -> doc.Row:
    return [name, tally.count, tally.amount, percent(tally.amount, whole)]


def _shortened(parts: list[tuple[str, Tally]]) -> Iterable[tuple[str, Tally]]:
    """The largest, and the others in one row."""
    if len(parts) <= MOST_ROWS:
        return parts
    others = parts[MOST_ROWS - 1 :]
    rest = (f"{len(others)} others", total(tally for _, tally in others))
    return [*parts[: MOST_ROWS - 1], rest]


def _months(revenue: Revenue, period: Period) -> doc.Table:
    columns = [
        doc.Column("Month of service"),
        doc.Column("Paid claims", doc.Kind.COUNT),
        *(doc.Column(f"{payer} ($)", doc.Kind.MONEY) for payer in ClaimType),
        doc.Column("Revenue ($)", doc.Kind.MONEY),
    ]
    rows = [_month_row(month_text(m), revenue.by_month.get(m, {})) for m in period.months()]
    whole = _month_row("Total", revenue.paid)
    return doc.table(columns, rows, NOTHING_PAID, whole)


def _month_row(name: str, tallies: dict[ClaimType, Tally]) -> doc.Row:
    amounts = [tallies[payer].amount if payer in tallies else ZERO for payer in ClaimType]
    both = total(tallies.values())
    return [name, both.count, *amounts, both.amount]


def _notes() -> list[doc.Block]:
    return [
        doc.Heading("About these figures"),
        doc.Note(
            "A claim belongs to the day on which the service was given, whenever it was paid. "
            "Revenue is the sum of assessed fees of the claims that stand paid; an adjusted claim "
            "is one that the payer corrected after paying it, and counts with its corrected fee; "
            "the difference is that fee less what was submitted. "
            "The RRNP premium (Rural Remote Northern Program) is shown apart and is not added to "
            "revenue."
        ),
        doc.Heading("GST"),
        doc.Note(
            "Health care services that a physician renders to a patient are generally exempt "
            "supplies under Part II of Schedule V to the Excise Tax Act (Canada). No GST is "
            "computed on the amounts in this report, and none is shown apart. Some supplies, such "
            "as cosmetic procedures without a medical purpose, are not exempt; this report does "
            "not single them out, and how a given service is taxed is for the accountant to say."
        ),
    ]


DEFINITION = ReportDefinition(
    ReportType.ACCOUNTANT_SUMMARY,
    {
        ReportFormat.CSV: as_streamed_csv(summary_table),
        ReportFormat.PDF: as_pdf(query, show),
    },
)
