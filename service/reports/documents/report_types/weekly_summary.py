"""WEEKLY_SUMMARY: what happened in a week by the events' own time, with the week before beside it.

A claim counts as submitted, paid, adjusted or rejected in a week if one of its versions came into
that state in it, once however often. Revenue is what the week's events added to the money of paid
claims, so that all weeks together add up to the revenue there is.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from repositories.reports.rows import ClaimRow
from repositories.vocabulary import ClaimState, ClaimType, ReportFormat, ReportType
from service.reports.documents import model as doc
from service.reports.documents.changes import Change, claim_by_claim
from service.reports.documents.csv_file import CsvRow, CsvTable
from service.reports.documents.definition import ReportDefinition, as_csv, as_pdf
from service.reports.documents.figures import (
    DECIDED_STATES,
    PAID_STATES,
    ZERO,
    Tally,
    change_text,
    is_paid,
    measure_row,
    percent,
)
from service.reports.documents.request import Period, RenderRequest, ReportSource
from service.reports.documents.wording import NO_REJECTIONS, framed

MOST_DAYS_CHARTED = 14
COUNTS = "what happened on these days, whenever the service was given"
FOOT = "Later events may change these figures"
MEANING = (
    "A claim counts in the period in which it was sent, paid, adjusted or rejected, once for each, "
    "by the time of the event in Alberta. Revenue is what payments and corrections added, negative "
    "where more was taken back. The rejection rate is the share of rejected claims among those "
    "that the payer decided. Withdrawn claims count nowhere."
)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CSV_HEADER = (
    "period_start",
    "period_end",
    "claim_type",
    "submitted",
    "submitted_amount",
    "paid",
    "adjusted",
    "revenue",
    "decided",
    "rejected",
    "rejected_amount",
    "rejection_rate",
)


@dataclass(slots=True)
class Activity:
    """What happened to claims; amounts are submitted fees, `revenue` is of assessed fees."""

    submitted: Tally = field(default_factory=Tally)
    paid: Tally = field(default_factory=Tally)
    adjusted: Tally = field(default_factory=Tally)
    rejected: Tally = field(default_factory=Tally)
    decided: int = 0
    revenue: Decimal = ZERO

    def add(self, changes: Sequence[Change]) -> None:
        """One claim's changes of the period: it counts once for each state that it came into."""
        for tally, states in (
            (self.submitted, {ClaimState.SUBMITTED}),
            (self.paid, PAID_STATES),
            (self.adjusted, {ClaimState.ADJUSTED}),
            (self.rejected, {ClaimState.REJECTED}),
        ):
            came = [change.after for change in changes if change.into(states)]
            if came:
                tally.add(came[-1].submitted_fee)
        self.decided += any(map(_is_decision, changes))
        self.revenue += sum(map(_gain, changes), ZERO)

    @property
    def rejection_rate(self) -> Decimal | None:
        """Rejected of decided, in percent; None while nothing was decided."""
        return percent(self.rejected.count, self.decided)


def _is_decision(change: Change) -> bool:
    state = change.after.state
    return state in DECIDED_STATES and change.into({state})


def _gain(change: Change) -> Decimal:
    """What it added to the money of paid claims; less than nothing where some was taken back."""
    return _paid_fee(change.after) - (_paid_fee(change.before) if change.before else ZERO)


def _paid_fee(claim: ClaimRow) -> Decimal:
    return (claim.assessed_fee or ZERO) if is_paid(claim) else ZERO


@dataclass(slots=True)
class Span:
    """What happened in a period: to all claims and to those of each payer, and each day's gain."""

    period: Period
    all: Activity = field(default_factory=Activity)
    of: dict[ClaimType, Activity] = field(
        default_factory=lambda: {payer: Activity() for payer in ClaimType}
    )
    by_day: dict[date, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def add(self, changes: Sequence[Change]) -> None:
        """One claim's history."""
        within = [change for change in changes if change.within(self.period)]
        if not within:
            return
        for activity in (self.all, self.of[within[-1].after.claim_type]):
            activity.add(within)
        for change in within:
            self.by_day[change.day] += _gain(change)

    def daily(self) -> list[Decimal]:
        return [self.by_day.get(day, ZERO) for day in self.period.each_day()]


@dataclass(slots=True)
class Weeks:
    now: Span
    before: Span


async def query(request: RenderRequest, rows: ReportSource) -> Weeks:
    """The period before has the same length and ends the day before."""
    weeks = Weeks(Span(request.period), Span(request.period.before()))
    history = rows.changed_claims(weeks.before.period.start, weeks.now.period.end)
    async for changes in claim_by_claim(history):
        weeks.now.add(changes)
        weeks.before.add(changes)
    return weeks


def show(request: RenderRequest, weeks: Weeks) -> doc.Document:
    now = weeks.now.all
    unheard = [] if request.received.rejections else [doc.Note(NO_REJECTIONS)]
    blocks: list[doc.Block] = [
        doc.KeyFigures(
            [
                ("Submitted", doc.Kind.COUNT, now.submitted.count),
                ("Paid", doc.Kind.COUNT, now.paid.count),
                ("Rejected", doc.Kind.COUNT, now.rejected.count),
                ("Revenue ($)", doc.Kind.MONEY, now.revenue),
                ("Rejection rate", doc.Kind.PERCENT, now.rejection_rate),
            ]
        ),
        doc.Note(MEANING),
        *unheard,
        doc.Heading("Compared with the period before"),
        _comparison(weeks),
        *_chart(weeks),
        doc.Heading("By payer"),
        _payers(weeks),
    ]
    return framed(request, "Weekly summary", blocks, counts=COUNTS, foot=FOOT)


def _comparison(weeks: Weeks) -> doc.Table:
    columns = [
        doc.Column("Claims"),
        doc.Column(str(weeks.now.period), doc.Kind.MONEY),
        doc.Column(str(weeks.before.period), doc.Kind.MONEY),
        doc.Column("Change", doc.Kind.MONEY),
    ]
    return doc.table(columns, _measures(weeks.now.all, weeks.before.all), "", None)


def _measures(now: Activity, before: Activity) -> list[doc.Row]:
    return [
        measure_row("Submitted", now.submitted.count, before.submitted.count),
        measure_row("Submitted fees ($)", now.submitted.amount, before.submitted.amount),
        measure_row("Paid", now.paid.count, before.paid.count),
        measure_row("Adjusted", now.adjusted.count, before.adjusted.count),
        measure_row("Revenue ($)", now.revenue, before.revenue),
        measure_row("Decided by the payer", now.decided, before.decided),
        measure_row("Rejected", now.rejected.count, before.rejected.count),
        measure_row("Rejection rate", now.rejection_rate, before.rejection_rate, doc.Kind.PERCENT),
    ]


def _chart(weeks: Weeks) -> list[doc.Block]:
    days = weeks.now.period.each_day()
    if len(days) > MOST_DAYS_CHARTED:
        return []
    labels = [f"{WEEKDAYS[day.weekday()]}\n{day:%m-%d}" for day in days]
    series = [doc.Series(str(span.period), span.daily()) for span in (weeks.now, weeks.before)]
    return [doc.BarChart("Revenue by day ($)", doc.Kind.MONEY, labels, series)]


def _payers(weeks: Weeks) -> doc.Table:
    columns = [
        doc.Column("Payer"),
        doc.Column("Submitted", doc.Kind.COUNT),
        doc.Column("Paid", doc.Kind.COUNT),
        doc.Column("Rejected", doc.Kind.COUNT),
        doc.Column("Revenue ($)", doc.Kind.MONEY),
        doc.Column("Revenue before ($)", doc.Kind.MONEY),
        doc.Column("Change ($)", doc.Kind.MONEY),
    ]
    now, before = weeks.now, weeks.before
    rows = [_payer_row(payer, now.of[payer], before.of[payer]) for payer in ClaimType]
    return doc.table(columns, rows, "", _payer_row("Total", now.all, before.all))


def _payer_row(name: str, now: Activity, before: Activity) -> doc.Row:
    revenue = now.revenue, before.revenue
    counts = now.submitted.count, now.paid.count, now.rejected.count
    return [name, *counts, *revenue, change_text(*revenue)]


def flatten(_request: RenderRequest, weeks: Weeks) -> CsvTable:
    """One line per period and payer, `ALL` for both."""
    lines = [
        _line(span.period, name, activity)
        for span in (weeks.now, weeks.before)
        for name, activity in [("ALL", span.all), *span.of.items()]
    ]
    return CsvTable(CSV_HEADER, lines)


def _line(period: Period, name: str, activity: Activity) -> CsvRow:
    return [
        period.start,
        period.end,
        name,
        activity.submitted.count,
        activity.submitted.amount,
        activity.paid.count,
        activity.adjusted.count,
        activity.revenue,
        activity.decided,
        activity.rejected.count,
        activity.rejected.amount,
        activity.rejection_rate,
    ]


DEFINITION = ReportDefinition(
    ReportType.WEEKLY_SUMMARY,
    {ReportFormat.PDF: as_pdf(query, show), ReportFormat.CSV: as_csv(query, flatten)},
)
