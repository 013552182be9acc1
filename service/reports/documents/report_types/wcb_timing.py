"""WCB_TIMING: WCB claims by form and timing tier, and what later tiers cost.

A later tier's cost is how much less it paid, on average, than SAME_DAY did for the same form.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from repositories.report_rows import ClaimRow
from repositories.vocabulary import ClaimType, FormId, ReportFormat, ReportType, TimingTier
from service.reports.documents.csv_file import CsvTable
from service.reports.documents.definition import ReportDefinition, as_csv, as_pdf
from service.reports.documents.frame import framed
from service.reports.documents.model import (
    BarChart,
    Block,
    Column,
    Document,
    Group,
    Heading,
    KeyFigures,
    Kind,
    Note,
    Row,
    Series,
    Table,
)
from service.reports.documents.request import RenderRequest
from service.reports.documents.source import ReportSource
from service.reports.documents.tallies import ZERO, Tally, is_paid, rounded, total

NO_CLAIMS = "No WCB claims in this period."
TIER_NAMES = {
    TimingTier.SAME_DAY: "Same day",
    TimingTier.ON_TIME: "On time",
    TimingTier.LATE: "Late",
    None: "No tier",
}
CSV_HEADER = (
    "form_id",
    "timing_tier",
    "submitted",
    "paid",
    "paid_amount",
    "average_fee",
    "same_day_average",
    "cost",
)
Tier = TimingTier | None


@dataclass(slots=True)
class FormTier:
    """Claims of one form in one tier; `cost` in dollars, None where nothing can be compared."""

    submitted: int = 0
    paid: Tally = field(default_factory=Tally)

    def cost(self, same_day: Tally) -> Decimal | None:
        """Unrounded averages are compared, so that a cent per claim does not add up."""
        if not self.paid.count or not same_day.count:
            return None
        expected = same_day.amount * self.paid.count / same_day.count
        return rounded(expected - self.paid.amount)


@dataclass(slots=True)
class Timing:
    forms: dict[FormId, dict[Tier, FormTier]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(FormTier))
    )

    def add(self, claim: ClaimRow) -> None:
        if claim.claim_type is not ClaimType.WCB or claim.form_id is None:
            return
        cell = self.forms[claim.form_id][claim.timing_tier]
        cell.submitted += 1
        if is_paid(claim):
            cell.paid.add(claim.assessed_fee)

    def cells(self) -> list[tuple[FormId, Tier, FormTier]]:
        """By form, then from the earliest tier to the latest."""
        return [
            (form, tier, self.forms[form][tier])
            for form in sorted(self.forms)
            for tier in TIER_NAMES
            if tier in self.forms[form]
        ]

    def same_day(self, form: FormId) -> Tally:
        tiers = self.forms[form]
        return tiers[TimingTier.SAME_DAY].paid if TimingTier.SAME_DAY in tiers else Tally()

    def cost(self, form: FormId, tier: Tier) -> Decimal | None:
        """None for SAME_DAY itself, for claims without a tier, and with nothing to compare."""
        if tier in (TimingTier.SAME_DAY, None):
            return None
        return self.forms[form][tier].cost(self.same_day(form))


async def query(request: RenderRequest, rows: ReportSource) -> Timing:
    timing, period = Timing(), request.period
    async for claim in rows.claims(period.start, period.end):
        timing.add(claim)
    return timing


def show(request: RenderRequest, timing: Timing) -> Document:
    cells = timing.cells()
    costs = [timing.cost(form, tier) or ZERO for form, tier, _ in cells]
    paid = total(cell.paid for _, _, cell in cells)
    blocks: list[Block] = [
        KeyFigures(
            [
                ("WCB claims submitted", Kind.COUNT, sum(cell.submitted for _, _, cell in cells)),
                ("Paid", Kind.COUNT, paid.count),
                ("Revenue ($)", Kind.MONEY, paid.amount),
                ("Cost of later tiers ($)", Kind.MONEY, sum(costs, ZERO)),
            ]
        ),
        Heading("By form and timing tier"),
        _table(timing, sum(costs, ZERO)),
        *_chart(timing),
        Note(
            "The cost of a later tier is how much less its paid claims brought than they would "
            "have at the average fee of the same form sent on the same day, in this period. It is "
            "negative where they brought more, and a dash where no claim of that form was paid in "
            "one of the two tiers."
        ),
    ]
    return framed(request, "WCB timing", blocks)


def _table(timing: Timing, cost: Decimal) -> Table:
    columns = [
        Column("Form"),
        Column("Timing tier"),
        Column("Submitted", Kind.COUNT),
        Column("Paid", Kind.COUNT),
        Column("Revenue ($)", Kind.MONEY),
        Column("Average fee ($)", Kind.MONEY),
        Column("Cost against same day ($)", Kind.MONEY),
    ]
    cells = timing.cells()
    paid = total(cell.paid for _, _, cell in cells)
    submitted = sum(cell.submitted for _, _, cell in cells)
    whole = ["Total", None, submitted, paid.count, paid.amount, paid.average, cost]
    rows = [_row(timing, form, tier, cell) for form, tier, cell in cells]
    return Table(columns, [Group(rows)], NO_CLAIMS, whole)


def _row(timing: Timing, form: FormId, tier: Tier, cell: FormTier) -> Row:
    paid, cost = cell.paid, timing.cost(form, tier)
    name = TIER_NAMES[tier]
    return [str(form), name, cell.submitted, paid.count, paid.amount, paid.average, cost]


def _chart(timing: Timing) -> list[Block]:
    if not timing.forms:
        return []
    forms = sorted(timing.forms)
    series = [
        Series(TIER_NAMES[tier], [_submitted(timing, form, tier) for form in forms])
        for tier in TimingTier
    ]
    return [BarChart("Claims submitted by form and timing tier", Kind.COUNT, forms, series)]


def _submitted(timing: Timing, form: FormId, tier: TimingTier) -> int:
    tiers = timing.forms[form]
    return tiers[tier].submitted if tier in tiers else 0


def flatten(_request: RenderRequest, timing: Timing) -> CsvTable:
    """One line per form and tier; `cost` is of all its paid claims together."""
    lines = [
        [
            form,
            tier,
            cell.submitted,
            cell.paid.count,
            cell.paid.amount,
            cell.paid.average,
            timing.same_day(form).average,
            timing.cost(form, tier),
        ]
        for form, tier, cell in timing.cells()
    ]
    return CsvTable(CSV_HEADER, lines)


DEFINITION = ReportDefinition(
    ReportType.WCB_TIMING,
    {ReportFormat.PDF: as_pdf(query, show), ReportFormat.CSV: as_csv(query, flatten)},
)
