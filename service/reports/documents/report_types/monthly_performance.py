"""MONTHLY_PERFORMANCE: a month's metrics beside the month before and the same month a year before.

The month is the one that the period ends in; the figures are those of `analytics_cache`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from repositories.vocabulary import ClaimType, Dimension, MetricKey, ReportFormat, ReportType
from service.reports.documents import model as doc
from service.reports.documents.csv_file import CsvTable
from service.reports.documents.definition import ReportDefinition, as_csv, as_pdf
from service.reports.documents.figures import (
    CachedFigures,
    Dimensioned,
    Figure,
    Tally,
    cached_figures,
    change_text,
    largest_first,
    percent,
    total,
)
from service.reports.documents.report_types.monthly_lines import figure_lines
from service.reports.documents.request import (
    RenderRequest,
    ReportSource,
    add_months,
    first_of_month,
)
from service.reports.documents.wording import (
    NO_BA,
    NO_LOCATION,
    Places,
    cell_text,
    framed,
    month_labels,
    month_text,
)

NOTHING_PAID = "No paid claims in this month."
MOST_SERVICES = 10  # as in `top_hsc_codes`
MOST_CODES = 10
NOTHING_REJECTED = "No claim of this month stands rejected."
NOT_FILLED = (
    "Some figures of this physician are new and are still being computed: a dash stands for them."
)


@dataclass(frozen=True, slots=True)
class Performance:
    """A month and the twelve before it."""

    month: date
    figures: CachedFigures
    unfilled: Collection[MetricKey] = ()  # nothing is said of these

    def figure(self, month: date, key: MetricKey, name: str) -> int | None:
        """A count of the month, by its name in `value`; None if it is not filled yet."""
        return None if key in self.unfilled else self.figures.number(month, key, name)

    @property
    def months(self) -> list[date]:
        return [add_months(self.month, n) for n in range(-12, 1)]

    @property
    def compared(self) -> tuple[date, date, date]:
        """The month, the month before, the same month a year before."""
        return self.month, add_months(self.month, -1), add_months(self.month, -12)


async def query(request: RenderRequest, rows: ReportSource) -> Performance:
    month = first_of_month(request.period.end)
    wanted = Performance(month, CachedFigures()).months
    cached = await cached_figures(rows.metrics(wanted))
    return Performance(month, cached, request.received.unfilled)


def show(request: RenderRequest, performance: Performance) -> doc.Document:
    month = performance.month
    blocks: list[doc.Block] = [
        _key_figures(performance),
        *([doc.Note(NOT_FILLED)] if performance.unfilled else []),
        doc.Heading("Compared with earlier months"),
        _comparison(performance),
        _revenue_chart(performance),
        _claims_chart(performance),
        doc.Heading("Services with the most revenue"),
        _services(performance),
        doc.Heading("Revenue by business arrangement"),
        _business_arrangements(performance),
        doc.Heading("Revenue by location"),
        _locations(request, performance),
        doc.Heading("Rejected claims by explanatory code"),
        _rejections(performance),
    ]
    covers = f"{month_text(month)} (month of service)"
    return framed(request, "Monthly performance", blocks, covers=covers)


def _key_figures(performance: Performance) -> doc.KeyFigures:
    month, figures = performance.month, performance.figures
    return doc.KeyFigures(
        [
            ("Revenue ($)", doc.Kind.MONEY, figures.money(month, MetricKey.REVENUE_MONTHLY)),
            ("Claims submitted", doc.Kind.COUNT, figures.count(month, MetricKey.CLAIMS_SUBMITTED)),
            ("Claims paid", doc.Kind.COUNT, figures.count(month, MetricKey.CLAIMS_PAID)),
            (
                "Awaiting an answer",
                doc.Kind.COUNT,
                figures.count(month, MetricKey.PENDING_PIPELINE),
            ),
            ("Rejection rate", doc.Kind.PERCENT, _rejection_rate(performance, month)),
        ]
    )


def _comparison(performance: Performance) -> doc.Table:
    month, before, year_before = performance.compared
    columns = [
        doc.Column("Measure"),
        doc.Column(month_text(month), doc.Kind.MONEY),
        doc.Column(month_text(before), doc.Kind.MONEY),
        doc.Column("Change", doc.Kind.MONEY),
        doc.Column(month_text(year_before), doc.Kind.MONEY),
        doc.Column("Change", doc.Kind.MONEY),
    ]
    return doc.table(columns, list(_measures(performance)), "", None)


def _measures(performance: Performance) -> Iterator[doc.Row]:
    months, figures = performance.compared, performance.figures
    counts = (
        ("Claims submitted", MetricKey.CLAIMS_SUBMITTED),
        ("Claims paid", MetricKey.CLAIMS_PAID),
        ("Claims awaiting an answer", MetricKey.PENDING_PIPELINE),
    )
    for name, key in counts:
        yield _measure(name, [figures.count(month, key) for month in months])
    for name, key, of in _MONEY_MEASURES:
        yield _measure(name, [figures.money(month, key, of) for month in months])
    for name, key, field in _AVERAGES:
        yield _measure(name, [figures.average(month, key, field) for month in months])
    for name, key, field in _REJECTIONS:
        yield _measure(name, [performance.figure(month, key, field) for month in months])
    rates = [_rejection_rate(performance, month) for month in months]
    yield _measure("Rejection rate", rates, doc.Kind.PERCENT)


_PAYER = Dimension.CLAIM_TYPE
_MONEY_MEASURES: tuple[tuple[str, MetricKey, Dimensioned], ...] = (
    ("Submitted fees ($)", MetricKey.CLAIMS_SUBMITTED, None),
    ("Revenue ($)", MetricKey.REVENUE_MONTHLY, None),
    ("of which AHCIP ($)", MetricKey.REVENUE_MONTHLY, (_PAYER, ClaimType.AHCIP)),
    ("of which WCB ($)", MetricKey.REVENUE_MONTHLY, (_PAYER, ClaimType.WCB)),
    ("Awaiting an answer ($)", MetricKey.PENDING_PIPELINE, None),
)
_AVERAGES = (
    ("Average fee ($)", MetricKey.AVG_FEE_PER_CLAIM, "average"),
    ("Average days to payment", MetricKey.AVG_RESOLUTION_TIME, "average_days"),
)


_FUNNEL = MetricKey.REJECTION_RESOLUTION_FUNNEL
_REJECTIONS = (
    ("Claims adjusted", MetricKey.CLAIMS_ADJUSTED, "count"),
    ("Claims that stand rejected", MetricKey.CLAIMS_REJECTED, "count"),
    ("Claims ever rejected", _FUNNEL, "rejected"),
    ("of which resubmitted", _FUNNEL, "resubmitted"),
    ("of which paid then", _FUNNEL, "paid_on_resubmission"),
)


def _rejection_rate(performance: Performance, month: date) -> Decimal | None:
    """None while nothing is decided, or the metric is not filled yet."""
    key = MetricKey.REJECTION_RATE_MONTHLY
    rejected = performance.figure(month, key, "rejected")
    decided = performance.figure(month, key, "decided")
    return None if rejected is None or decided is None else percent(rejected, decided)


def _measure(name: str, values: Sequence[Figure], kind: doc.Kind = doc.Kind.MONEY) -> doc.Row:
    now, before, year_before = values
    texts = [cell_text(kind, value) for value in values]
    return [
        name,
        *texts[:2],
        change_text(now, before, kind),
        texts[2],
        change_text(now, year_before, kind),
    ]


def _revenue_chart(performance: Performance) -> doc.BarChart:
    months, figures = performance.months, performance.figures
    series = [
        doc.Series(
            payer,
            [figures.money(m, MetricKey.REVENUE_MONTHLY, (_PAYER, payer)) for m in months],
        )
        for payer in ClaimType
    ]
    title = "Revenue by month of service ($)"
    return doc.BarChart(title, doc.Kind.MONEY, month_labels(months), series, stacked=True)


def _claims_chart(performance: Performance) -> doc.LineChart:
    months, figures = performance.months, performance.figures
    series = [
        doc.Series(name, [figures.count(month, key) for month in months])
        for name, key in (
            ("Submitted", MetricKey.CLAIMS_SUBMITTED),
            ("Paid", MetricKey.CLAIMS_PAID),
        )
    ]
    return doc.LineChart("Claims by month of service", doc.Kind.COUNT, month_labels(months), series)


def _services(performance: Performance) -> doc.Table:
    """The largest codes, and what was paid without one of them: other codes, and forms.

    Not from `top_hsc_codes`, which is some seconds behind the figures that this must add up to.
    """
    key, by = MetricKey.REVENUE_BY_HSC, Dimension.HSC_CODE
    top = largest_first(performance.figures.parts(performance.month, key, by))[:MOST_SERVICES]
    return _parts("Health service code", performance, top, "Other codes and forms")


def _business_arrangements(performance: Performance) -> doc.Table:
    key, by = MetricKey.REVENUE_BY_BA, Dimension.BA_NUMBER
    parts = performance.figures.parts(performance.month, key, by)
    return _parts("BA number", performance, largest_first(parts), NO_BA)


def _locations(request: RenderRequest, performance: Performance) -> doc.Table:
    key, by = MetricKey.REVENUE_BY_LOCATION, Dimension.LOCATION_ID
    parts = performance.figures.parts(performance.month, key, by)
    places = Places(request.provider)
    named = [(places.label(UUID(id_)), tally) for id_, tally in largest_first(parts)]
    return _parts("Location", performance, named, NO_LOCATION)


def _rejections(performance: Performance) -> doc.Table:
    """A claim counts under each of its codes, so nothing adds up here."""
    key, by = MetricKey.REJECTION_BY_CODE, Dimension.EXPLANATORY_CODE
    parts = (
        {} if key in performance.unfilled else performance.figures.parts(performance.month, key, by)
    )
    columns = [
        doc.Column("Explanatory code"),
        doc.Column("Rejected claims", doc.Kind.COUNT),
        doc.Column("Submitted ($)", doc.Kind.MONEY),
    ]
    rows: list[doc.Row] = [[code, t.count, t.amount] for code, t in largest_first(parts) if t.count]
    return doc.table(columns, rows[:MOST_CODES], NOTHING_REJECTED, None)


def _parts(
    title: str, performance: Performance, parts: Sequence[tuple[str, Tally]], rest: str
) -> doc.Table:
    """The month's revenue in parts that add up to it; `rest` names what is in none of them."""
    columns = [
        doc.Column(title),
        doc.Column("Paid claims", doc.Kind.COUNT),
        doc.Column("Revenue ($)", doc.Kind.MONEY),
    ]
    whole = performance.figures.tally(performance.month, MetricKey.REVENUE_MONTHLY)
    known = total(tally for _, tally in parts)
    others = Tally(whole.count - known.count, whole.amount - known.amount)
    rows: list[doc.Row] = [
        [name, t.count, t.amount] for name, t in [*parts, (rest, others)] if t.count
    ]
    return doc.table(columns, rows, NOTHING_PAID, ["Total", whole.count, whole.amount])


def flatten(_request: RenderRequest, performance: Performance) -> CsvTable:
    """One line per figure of the three months, as far as they are filled."""
    return figure_lines(performance.figures, performance.compared, performance.unfilled)


DEFINITION = ReportDefinition(
    ReportType.MONTHLY_PERFORMANCE,
    {ReportFormat.PDF: as_pdf(query, show), ReportFormat.CSV: as_csv(query, flatten)},
)
