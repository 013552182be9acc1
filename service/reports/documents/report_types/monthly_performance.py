"""MONTHLY_PERFORMANCE: a month's metrics beside the month before and the same month a year before.

The month is the one that the period ends in; the figures are those of `analytics_cache`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from repositories.vocabulary import ClaimType, Dimension, MetricKey, ReportFormat, ReportType
from service.reports.documents.csv_file import CsvRow, CsvTable
from service.reports.documents.definition import ReportDefinition, as_csv, as_pdf
from service.reports.documents.frame import framed
from service.reports.documents.model import (
    BarChart,
    Block,
    Column,
    Document,
    Heading,
    KeyFigures,
    Kind,
    LineChart,
    Row,
    Series,
    Table,
    table,
)
from service.reports.documents.period import add_months, first_of_month
from service.reports.documents.places import Places
from service.reports.documents.report_types.cached_figures import (
    CachedFigures,
    Dimensioned,
    cached_figures,
)
from service.reports.documents.report_types.change import change_text
from service.reports.documents.request import RenderRequest
from service.reports.documents.source import ReportSource
from service.reports.documents.tallies import Tally, largest_first
from service.reports.documents.wording import cell_text, month_labels, month_text

NOTHING_PAID = "No paid claims in this month."
CSV_HEADER = ("month", "metric_key", "dimension", "dimension_value", "measure", "value")


@dataclass(frozen=True, slots=True)
class Performance:
    """A month and the twelve before it."""

    month: date
    figures: CachedFigures

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
    return Performance(month, await cached_figures(rows.metrics(wanted)))


def show(request: RenderRequest, performance: Performance) -> Document:
    month, figures = performance.month, performance.figures
    blocks: list[Block] = [
        _key_figures(performance),
        Heading("Compared with earlier months"),
        _comparison(performance),
        _revenue_chart(performance),
        _claims_chart(performance),
        Heading("Services with the most revenue"),
        _services(figures.value(month, MetricKey.TOP_HSC_CODES)),
        Heading("Revenue by business arrangement"),
        _parts("BA number", performance, MetricKey.REVENUE_BY_BA, Dimension.BA_NUMBER),
        Heading("Revenue by location"),
        _locations(request, performance),
    ]
    covers = f"{month_text(month)} (month of service)"
    return framed(request, "Monthly performance", blocks, covers=covers)


def _key_figures(performance: Performance) -> KeyFigures:
    month, figures = performance.month, performance.figures
    return KeyFigures(
        [
            ("Revenue ($)", Kind.MONEY, figures.money(month, MetricKey.REVENUE_MONTHLY)),
            ("Claims submitted", Kind.COUNT, figures.count(month, MetricKey.CLAIMS_SUBMITTED)),
            ("Claims paid", Kind.COUNT, figures.count(month, MetricKey.CLAIMS_PAID)),
            ("Awaiting an answer", Kind.COUNT, figures.count(month, MetricKey.PENDING_PIPELINE)),
        ]
    )


def _comparison(performance: Performance) -> Table:
    month, before, year_before = performance.compared
    columns = [
        Column("Measure"),
        Column(month_text(month), Kind.MONEY),
        Column(month_text(before), Kind.MONEY),
        Column("Change", Kind.MONEY),
        Column(month_text(year_before), Kind.MONEY),
        Column("Change", Kind.MONEY),
    ]
    return table(columns, list(_measures(performance)), "", None)


def _measures(performance: Performance) -> Iterator[Row]:
    months, figures = performance.compared, performance.figures
    counts = (
        ("Claims submitted", MetricKey.CLAIMS_SUBMITTED),
        ("Claims paid", MetricKey.CLAIMS_PAID),
        ("Claims awaiting an answer", MetricKey.PENDING_PIPELINE),
    )
    for name, key in counts:
        yield _measure(name, [figures.count(month, key) for month in months])
    for name, key, of, field in _MONEY_MEASURES:
        yield _measure(name, [figures.money(month, key, of, field) for month in months])


_PAYER = Dimension.CLAIM_TYPE
_MONEY_MEASURES: tuple[tuple[str, MetricKey, Dimensioned, str], ...] = (
    ("Submitted fees ($)", MetricKey.CLAIMS_SUBMITTED, None, "amount"),
    ("Revenue ($)", MetricKey.REVENUE_MONTHLY, None, "amount"),
    ("of which AHCIP ($)", MetricKey.REVENUE_MONTHLY, (_PAYER, ClaimType.AHCIP), "amount"),
    ("of which WCB ($)", MetricKey.REVENUE_MONTHLY, (_PAYER, ClaimType.WCB), "amount"),
    ("Awaiting an answer ($)", MetricKey.PENDING_PIPELINE, None, "amount"),
    ("Average fee ($)", MetricKey.AVG_FEE_PER_CLAIM, None, "average"),
    ("Average days to payment", MetricKey.AVG_RESOLUTION_TIME, None, "average_days"),
)


def _measure(name: str, values: list[int] | list[Decimal]) -> Row:
    now, before, year_before = values
    texts = [cell_text(Kind.MONEY, value) for value in values]
    return [
        name,
        *texts[:2],
        change_text(now, before),
        texts[2],
        change_text(now, year_before),
    ]


def _revenue_chart(performance: Performance) -> BarChart:
    months, figures = performance.months, performance.figures
    series = [
        Series(
            payer,
            [figures.money(m, MetricKey.REVENUE_MONTHLY, (_PAYER, payer)) for m in months],
        )
        for payer in ClaimType
    ]
    title = "Revenue by month of service ($)"
    return BarChart(title, Kind.MONEY, month_labels(months), series, stacked=True)


def _claims_chart(performance: Performance) -> LineChart:
    months, figures = performance.months, performance.figures
    series = [
        Series(name, [figures.count(month, key) for month in months])
        for name, key in (
            ("Submitted", MetricKey.CLAIMS_SUBMITTED),
            ("Paid", MetricKey.CLAIMS_PAID),
        )
    ]
    return LineChart("Claims by month of service", Kind.COUNT, month_labels(months), series)


def _services(value: Mapping[str, Any]) -> Table:
    rows = [[c["hsc_code"], c["count"], Decimal(c["amount"])] for c in value.get("codes", [])]
    return table(_part_columns("Health service code"), rows, NOTHING_PAID, None)


def _parts(title: str, performance: Performance, key: MetricKey, by: Dimension) -> Table:
    parts = performance.figures.parts(performance.month, key, by)
    return table(_part_columns(title), _part_rows(parts), NOTHING_PAID, None)


def _locations(request: RenderRequest, performance: Performance) -> Table:
    key, by = MetricKey.REVENUE_BY_LOCATION, Dimension.LOCATION_ID
    parts = performance.figures.parts(performance.month, key, by)
    places = Places(request.provider)
    rows = [[places.label(UUID(str(row[0]))), *row[1:]] for row in _part_rows(parts)]
    return table(_part_columns("Location"), rows, NOTHING_PAID, None)


def _part_columns(title: str) -> list[Column]:
    return [Column(title), Column("Paid claims", Kind.COUNT), Column("Revenue ($)", Kind.MONEY)]


def _part_rows(parts: Mapping[str, Tally]) -> list[Row]:
    return [[name, t.count, t.amount] for name, t in largest_first(parts) if t.count]


def flatten(_request: RenderRequest, performance: Performance) -> CsvTable:
    """One line per figure of the three months."""
    lines = [
        line
        for month in performance.compared
        for key, of, value in performance.figures.rows_of(month)
        for line in _lines(month, key, of, value)
    ]
    return CsvTable(CSV_HEADER, lines)


def _lines(
    month: date, key: MetricKey, of: Dimensioned, value: Mapping[str, Any]
) -> Iterator[CsvRow]:
    dimension, named = of or (None, None)
    for measure, figure in value.items():
        if measure == "codes":
            for code in figure:
                yield from _code_lines(month, key, code)
        else:
            yield [month, key, dimension, named, measure, figure]


def _code_lines(month: date, key: MetricKey, code: Mapping[str, Any]) -> Iterator[CsvRow]:
    for measure in ("count", "amount"):
        yield [month, key, Dimension.HSC_CODE, code["hsc_code"], measure, code[measure]]


DEFINITION = ReportDefinition(
    ReportType.MONTHLY_PERFORMANCE,
    {ReportFormat.PDF: as_pdf(query, show), ReportFormat.CSV: as_csv(query, flatten)},
)
