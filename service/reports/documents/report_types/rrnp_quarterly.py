"""RRNP_QUARTERLY: the rural and northern premium by location."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents import model as doc
from service.reports.documents.csv_file import CsvTable
from service.reports.documents.definition import ReportDefinition, as_csv, as_pdf
from service.reports.documents.figures import ZERO, Tally, percent, total
from service.reports.documents.request import RenderRequest, ReportSource, first_of_month
from service.reports.documents.wording import Places, framed, month_labels

NO_PREMIUM = "No paid claim of this period has a premium."
CSV_HEADER = (
    "location_id",
    "location",
    "rrnp_rate",
    "paid_claims",
    "revenue",
    "claims_with_premium",
    "premium",
)


@dataclass(slots=True)
class Site:
    """A location's paid claims (assessed fees), and the premium of those that have one."""

    paid: Tally = field(default_factory=Tally)
    premium: Tally = field(default_factory=Tally)


@dataclass(slots=True)
class Premiums:
    sites: dict[UUID | None, Site] = field(default_factory=lambda: defaultdict(Site))
    by_month: dict[date, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def add(self, claim: ClaimRow) -> None:
        site = self.sites[claim.location_id]
        site.paid.add(claim.assessed_fee)
        if claim.rrnp_premium:
            site.premium.add(claim.rrnp_premium)
            self.by_month[first_of_month(claim.date_of_service)] += claim.rrnp_premium

    @property
    def total(self) -> Site:
        sites = self.sites.values()
        return Site(total(site.paid for site in sites), total(site.premium for site in sites))

    def largest_first(self) -> list[tuple[UUID | None, Site]]:
        """By premium, then revenue, both falling."""
        return sorted(
            self.sites.items(),
            key=lambda item: (-item[1].premium.amount, -item[1].paid.amount, str(item[0])),
        )


async def query(request: RenderRequest, rows: ReportSource) -> Premiums:
    premiums, period = Premiums(), request.period
    async for claim in rows.paid_claims(period.start, period.end):
        premiums.add(claim)
    return premiums


def show(request: RenderRequest, premiums: Premiums) -> doc.Document:
    months, whole = request.period.months(), premiums.total
    monthly = [premiums.by_month.get(month, ZERO) for month in months]
    chart = doc.BarChart(
        "RRNP premium by month of service ($)",
        doc.Kind.MONEY,
        month_labels(months),
        [doc.Series("Premium", monthly)],
    )
    blocks: list[doc.Block] = [
        doc.KeyFigures(
            [
                ("RRNP premium ($)", doc.Kind.MONEY, whole.premium.amount),
                ("Claims with a premium", doc.Kind.COUNT, whole.premium.count),
                ("Paid claims", doc.Kind.COUNT, whole.paid.count),
            ]
        ),
        chart,
        doc.Heading("Premium by location"),
        doc.Note(
            "RRNP is the Rural Remote Northern Program. The premium is what the payer stated with "
            "each paid claim; the rate is the one that the location's profile states today. "
            "Revenue is the sum of assessed fees and does not contain the premium as a line of "
            "its own."
        ),
        _sites(request, premiums),
    ]
    return framed(request, "RRNP premium", blocks)


def _sites(request: RenderRequest, premiums: Premiums) -> doc.Table:
    columns = [
        doc.Column("Location"),
        doc.Column("Rate", doc.Kind.PERCENT),
        doc.Column("Paid claims", doc.Kind.COUNT),
        doc.Column("Revenue ($)", doc.Kind.MONEY),
        doc.Column("Claims with premium", doc.Kind.COUNT),
        doc.Column("Premium ($)", doc.Kind.MONEY),
        doc.Column("Share", doc.Kind.PERCENT),
    ]
    places, whole = Places(request.provider), premiums.total
    rows = [
        _row(places.label(id_), _rate(places, id_), site, whole)
        for id_, site in premiums.largest_first()
    ]
    return doc.table(
        columns, rows, "No paid claims in this period.", _row("Total", None, whole, whole)
    )


def _row(name: str, rate: Decimal | None, site: Site, whole: Site) -> doc.Row:
    paid, premium = site.paid, site.premium
    share = percent(premium.amount, whole.premium.amount)
    return [name, rate, paid.count, paid.amount, premium.count, premium.amount, share]


def _rate(places: Places, location_id: UUID | None) -> Decimal | None:
    known = places.known(location_id)
    return known.rrnp_rate if known else None


def flatten(request: RenderRequest, premiums: Premiums) -> CsvTable:
    """One line per location with paid claims."""
    places = Places(request.provider)
    lines = [
        [
            location_id,
            places.cell(location_id),
            _rate(places, location_id),
            site.paid.count,
            site.paid.amount,
            site.premium.count,
            site.premium.amount,
        ]
        for location_id, site in premiums.largest_first()
    ]
    return CsvTable(CSV_HEADER, lines)


DEFINITION = ReportDefinition(
    ReportType.RRNP_QUARTERLY,
    {ReportFormat.PDF: as_pdf(query, show), ReportFormat.CSV: as_csv(query, flatten)},
)
