"""WEEKLY_SUMMARY: the week's claims, with the week before beside it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from repositories.report_rows import ClaimRow
from repositories.vocabulary import ClaimType, ReportFormat, ReportType
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
    Note,
    Row,
    Series,
    Table,
    table,
)
from service.reports.documents.period import Period
from service.reports.documents.report_types.activity import Activity, ActivityByPayer
from service.reports.documents.report_types.change import change_text, measure_row
from service.reports.documents.request import RenderRequest
from service.reports.documents.source import ReportSource
from service.reports.documents.tallies import ZERO, is_paid

MOST_DAYS_CHARTED = 14
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CSV_HEADER = (
    "period_start",
    "period_end",
    "claim_type",
    "submitted",
    "submitted_amount",
    "paid",
    "revenue",
    "rejected",
    "rejected_amount",
    "pending",
    "pending_amount",
    "rejection_rate",
)


@dataclass(slots=True)
class Span:
    """A period's claims: what became of them, and the revenue of each day."""

    period: Period
    activity: ActivityByPayer = field(default_factory=ActivityByPayer)
    by_day: dict[date, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def add(self, claim: ClaimRow) -> None:
        self.activity.add(claim)
        if is_paid(claim):
            self.by_day[claim.date_of_service] += claim.assessed_fee or ZERO

    def daily(self) -> list[Decimal]:
        return [self.by_day.get(day, ZERO) for day in self.period.each_day()]


@dataclass(slots=True)
class Weeks:
    now: Span
    before: Span


async def query(request: RenderRequest, rows: ReportSource) -> Weeks:
    """The period before has the same length and ends the day before."""
    now = await _span(request.period, rows)
    return Weeks(now, await _span(request.period.before(), rows))


async def _span(period: Period, rows: ReportSource) -> Span:
    span = Span(period)
    async for claim in rows.claims(period.start, period.end):
        span.add(claim)
    return span


def show(request: RenderRequest, weeks: Weeks) -> Document:
    now = weeks.now.activity.all
    blocks: list[Block] = [
        KeyFigures(
            [
                ("Submitted", Kind.COUNT, now.submitted.count),
                ("Paid", Kind.COUNT, now.paid.count),
                ("Rejected", Kind.COUNT, now.rejected.count),
                ("Revenue ($)", Kind.MONEY, now.paid.amount),
                ("Rejection rate", Kind.PERCENT, now.rejection_rate),
            ]
        ),
        Heading("Compared with the period before"),
        _comparison(weeks),
        *_chart(weeks),
        Heading("By payer"),
        _payers(weeks),
        Note(
            "A claim belongs to the day on which the service was given and counts by what it is "
            "now, so the latest days have more claims that await an answer. The rejection rate is "
            "the share of rejected claims among those that the payer has decided."
        ),
    ]
    return framed(request, "Weekly summary", blocks, [("Compared with", str(weeks.before.period))])


def _comparison(weeks: Weeks) -> Table:
    columns = [
        Column("Claims"),
        Column(str(weeks.now.period), Kind.MONEY),
        Column(str(weeks.before.period), Kind.MONEY),
        Column("Change", Kind.MONEY),
    ]
    return table(columns, _measures(weeks.now.activity.all, weeks.before.activity.all), "", None)


def _measures(now: Activity, before: Activity) -> list[Row]:
    return [
        measure_row("Submitted", now.submitted.count, before.submitted.count),
        measure_row("Submitted fees ($)", now.submitted.amount, before.submitted.amount),
        measure_row("Paid", now.paid.count, before.paid.count),
        measure_row("Revenue ($)", now.paid.amount, before.paid.amount),
        measure_row("Awaiting an answer", now.pending.count, before.pending.count),
        measure_row("Rejected", now.rejected.count, before.rejected.count),
        measure_row("Rejection rate", now.rejection_rate, before.rejection_rate, Kind.PERCENT),
    ]


def _chart(weeks: Weeks) -> list[Block]:
    days = weeks.now.period.each_day()
    if len(days) > MOST_DAYS_CHARTED:
        return []
    labels = [f"{WEEKDAYS[day.weekday()]}\n{day:%m-%d}" for day in days]
    series = [Series(str(span.period), span.daily()) for span in (weeks.now, weeks.before)]
    return [BarChart("Revenue by day of service ($)", Kind.MONEY, labels, series)]


def _payers(weeks: Weeks) -> Table:
    columns = [
        Column("Payer"),
        Column("Submitted", Kind.COUNT),
        Column("Paid", Kind.COUNT),
        Column("Rejected", Kind.COUNT),
        Column("Revenue ($)", Kind.MONEY),
        Column("Revenue before ($)", Kind.MONEY),
        Column("Change ($)", Kind.MONEY),
    ]
    now, before = weeks.now.activity, weeks.before.activity
    rows = [_payer_row(payer, now.of[payer], before.of[payer]) for payer in ClaimType]
    return table(columns, rows, "", _payer_row("Total", now.all, before.all))


def _payer_row(name: str, now: Activity, before: Activity) -> Row:
    revenue = now.paid.amount, before.paid.amount
    counts = now.submitted.count, now.paid.count, now.rejected.count
    return [name, *counts, *revenue, change_text(*revenue)]


def flatten(_request: RenderRequest, weeks: Weeks) -> CsvTable:
    """One line per period and payer, `ALL` for both."""
    lines = [
        line
        for span in (weeks.now, weeks.before)
        for name, activity in [("ALL", span.activity.all), *span.activity.of.items()]
        for line in [_line(span.period, name, activity)]
    ]
    return CsvTable(CSV_HEADER, lines)


def _line(period: Period, name: str, activity: Activity) -> CsvRow:
    tallies = activity.submitted, activity.paid, activity.rejected, activity.pending
    figures = [figure for tally in tallies for figure in (tally.count, tally.amount)]
    return [period.start, period.end, name, *figures, activity.rejection_rate]


DEFINITION = ReportDefinition(
    ReportType.WEEKLY_SUMMARY,
    {ReportFormat.PDF: as_pdf(query, show), ReportFormat.CSV: as_csv(query, flatten)},
)
