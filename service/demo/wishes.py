"""Which reports the shown physician asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle
from uuid import UUID, uuid4

from repositories.vocabulary import ReportFormat, ReportType

CSV, PDF, ZIP = ReportFormat.CSV, ReportFormat.PDF, ReportFormat.ZIP
WEEK = 7
# What is asked for now and then, with the months that it goes back; 0: the last seven days.
LATER = (
    (ReportType.WEEKLY_SUMMARY, PDF, 0),
    (ReportType.RRNP_QUARTERLY, PDF, 3),
    (ReportType.ACCOUNTANT_DETAIL, PDF, 3),
    (ReportType.REJECTION_DIGEST, CSV, 1),
    (ReportType.MONTHLY_PERFORMANCE, CSV, 1),
    (ReportType.ACCOUNTANT_SUMMARY, CSV, 12),
)


@dataclass(frozen=True)
class Wish:
    """A report to ask for; both dates are days of service, and None for all of them."""

    report_type: ReportType
    format: ReportFormat
    period_start: date | None = None
    period_end: date | None = None
    report_id: UUID = field(default_factory=uuid4)


def first_wishes(today: date) -> list[Wish]:
    """What an accountant, a physician and one who moves on would want, of whole months."""
    return [
        Wish(ReportType.ACCOUNTANT_SUMMARY, PDF, *months_before(today, 6)),
        Wish(ReportType.ACCOUNTANT_DETAIL, CSV, *months_before(today, 3)),
        Wish(ReportType.MONTHLY_PERFORMANCE, PDF, *months_before(today, 1)),
        Wish(ReportType.WCB_TIMING, PDF, *months_before(today, 12)),
        Wish(ReportType.DATA_PORTABILITY, ZIP),
    ]


def later_wishes(today: date) -> Iterator[Wish]:
    """One after the other, without end."""
    for report_type, report_format, months in cycle(LATER):
        period = months_before(today, months) if months else _week_before(today)
        yield Wish(report_type, report_format, *period)


def months_before(today: date, months: int) -> tuple[date, date]:
    """First and last day of so many whole months that are over."""
    this = today.replace(day=1)
    count = this.year * 12 + this.month - 1 - months
    return date(count // 12, count % 12 + 1, 1), this - timedelta(days=1)


def _week_before(today: date) -> tuple[date, date]:
    return today - timedelta(days=WEEK), today - timedelta(days=1)
