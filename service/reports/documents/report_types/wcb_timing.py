"""WCB_TIMING: WCB claims by form and timing tier, and what later tiers cost.

A later tier's cost is how much less it paid, on average, than SAME_DAY did for the same form.
For a period that lies ahead there is nothing of that yet: `wcb_deadlines` says what it shows then.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ClaimType, FormId, ReportFormat, ReportType, TimingTier
from service.reports.documents import model as doc
from service.reports.documents.csv_file import CsvTable
from service.reports.documents.definition import ReportDefinition, as_csv, as_pdf
from service.reports.documents.figures import ZERO, Tally, is_paid, rounded, total
from service.reports.documents.report_types import wcb_deadlines
from service.reports.documents.request import RenderRequest, ReportSource
from service.reports.documents.wording import NOTHING, TIER_NAMES, framed

NO_CLAIMS = "No WCB claims in this period."
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

    def total_cost(self) -> Decimal | None:
        """None where nothing can be compared."""
        costs = [self.cost(form, tier) for form, tier, _ in self.cells()]
        known = [cost for cost in costs if cost is not None]
        return sum(known, ZERO) if known else None


async def query(request: RenderRequest, rows: ReportSource) -> Timing | wcb_deadlines.Ahead:
    if wcb_deadlines.lies_ahead(request):
        return await wcb_deadlines.query(request, rows)
    timing, period = Timing(), request.period
    async for claim in rows.submitted_claims(period.start, period.end):
        timing.add(claim)
    return timing


def show(request: RenderRequest, timing: Timing | wcb_deadlines.Ahead) -> doc.Document:
    if not isinstance(timing, Timing):
        return wcb_deadlines.show(request, timing)
    cells = timing.cells()
    paid = total(cell.paid for _, _, cell in cells)
    blocks: list[doc.Block] = [
        doc.KeyFigures(
            [
                (
                    "WCB claims submitted",
                    doc.Kind.COUNT,
                    sum(cell.submitted for _, _, cell in cells),
                ),
                ("Paid", doc.Kind.COUNT, paid.count),
                ("Revenue ($)", doc.Kind.MONEY, paid.amount),
                ("Cost of later tiers ($)", doc.Kind.MONEY, timing.total_cost()),
            ]
        ),
        *_chart(timing),
        doc.Heading("By form and timing tier"),
        doc.Note(
            "The cost of a later tier is how much less its paid claims brought than they would "
            "have at the average fee of the same form sent on the same day, in this period. It is "
            "negative where they brought more, and a dash where no claim of that form was paid in "
            "one of the two tiers."
        ),
        _table(timing),
    ]
    return framed(request, "WCB timing", blocks)


def _table(timing: Timing) -> doc.Table:
    columns = [
        doc.Column("Form"),
        doc.Column("Timing tier"),
        doc.Column("Submitted", doc.Kind.COUNT),
        doc.Column("Paid", doc.Kind.COUNT),
        doc.Column("Revenue ($)", doc.Kind.MONEY),
        doc.Column("Average fee ($)", doc.Kind.MONEY),
        doc.Column("Cost against same day ($)", doc.Kind.MONEY),
    ]
    cells = timing.cells()
    paid = total(cell.paid for _, _, cell in cells)
    submitted = sum(cell.submitted for _, _, cell in cells)
    averages = [
        NOTHING if known is None else known for known in (paid.average, timing.total_cost())
    ]
    whole = ["Total", None, submitted, paid.count, paid.amount, *averages]
    rows = [_row(timing, form, tier, cell) for form, tier, cell in cells]
    return doc.Table(columns, [doc.Group(rows)], NO_CLAIMS, whole)


def _row(timing: Timing, form: FormId, tier: Tier, cell: FormTier) -> doc.Row:
    paid, cost = cell.paid, timing.cost(form, tier)
    name = TIER_NAMES[tier]
    return [str(form), name, cell.submitted, paid.count, paid.amount, paid.average, cost]


def _chart(timing: Timing) -> list[doc.Block]:
    if not timing.forms:
        return []
    forms = sorted(timing.forms)
    series = [
        doc.Series(TIER_NAMES[tier], [_submitted(timing, form, tier) for form in forms])
        for tier in TimingTier
    ]
    return [doc.BarChart("Claims submitted by form and timing tier", doc.Kind.COUNT, forms, series)]


def _submitted(timing: Timing, form: FormId, tier: TimingTier) -> int:
    tiers = timing.forms[form]
    return tiers[tier].submitted if tier in tiers else 0


def flatten(request: RenderRequest, timing: Timing | wcb_deadlines.Ahead) -> CsvTable:
    """One line per form and tier; `cost` is of all its paid claims together."""
    if not isinstance(timing, Timing):
        return wcb_deadlines.flatten(request, timing)
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
