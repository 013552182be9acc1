"""What is asked of a renderer: one report, its period, and the rows that it is made of."""

from calendar import monthrange
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from repositories.records import RequestedReport
from repositories.reports import rows


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `start` to `end`, both included."""

    start: date
    end: date

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def before(self) -> "Period":
        """The period of the same length that ends the day before this one starts."""
        return Period(self.start - timedelta(days=self.days), self.start - timedelta(days=1))

    def each_day(self) -> list[date]:
        return [self.start + timedelta(days=n) for n in range(self.days)]

    def months(self) -> list[date]:
        """The first days of the months that the period touches, in order."""
        count = months_between(self.start, self.end)
        return [add_months(first_of_month(self.start), n) for n in range(count + 1)]


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])


def months_between(start: date, end: date) -> int:
    return (end.year - start.year) * 12 + end.month - start.month


def add_months(first: date, months: int) -> date:
    """The first day of a month so many months later, or earlier if negative."""
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """One report to render, for one physician.

    No renderer reads a clock, so that the same request over the same rows gives the same bytes.
    `password` protects a ZIP (AES-256).
    """

    report: RequestedReport
    provider: rows.ProviderProfile
    received: rows.Received
    requested_at: datetime
    password: str | None = field(default=None, repr=False)

    @property
    def period(self) -> Period:
        """The period of a report that has one; `ValueError` if the request names none."""
        report = self.report
        start, end = report.period_start, report.period_end
        if start is None or end is None:
            raise ValueError(
                f"a {report.report_type} report needs period_start and period_end, and the request "
                f"{report.report_id} lacks one: check requests before they are rendered"
            )
        return Period(start, end)


class ReportSource(Protocol):
    """One provider's rows, streamed; a report reads one of these streams after the other.

    `start` and `end` are days, both included: of service (`date_of_service`), but where the events'
    own time is meant.
    """

    def paid_claims(self, start: date, end: date) -> AsyncIterator[rows.ClaimRow]:
        """Claims in state PAID or ADJUSTED, ordered by date_of_service, claim_id."""

    def submitted_claims(self, start: date, end: date) -> AsyncIterator[rows.ClaimRow]:
        """Claims that were ever sent, in any state but WITHDRAWN, in the same order."""

    def unsent_claims(self) -> AsyncIterator[rows.ClaimRow]:
        """Claims in state DRAFT, VALIDATED or QUEUED, of any date, in the same order."""

    def all_claims(self) -> AsyncIterator[rows.ClaimRow]:
        """Every claim, withdrawn ones included, of any date."""

    def claim_history(self) -> AsyncIterator[rows.ClaimHistoryRow]:
        """Every accepted event, ordered by claim_id, claim_version."""

    def changed_claims(self, start: date, end: date) -> AsyncIterator[rows.ClaimHistoryRow]:
        """Every event of each claim to which something happened on these days in Alberta.

        In the order of `claim_history`; withdrawn claims are left out.
        """

    def metrics(self, months: Sequence[date] | None = None) -> AsyncIterator[rows.MetricRow]:
        """Rows of `analytics_cache` of these months (by their first days), or of all."""

    def reports(self) -> AsyncIterator[rows.ReportRow]:
        """The provider's reports."""
