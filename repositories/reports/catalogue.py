"""Which reports exist: the formats of each type, its period, and how long its file is kept."""

from datetime import datetime, timedelta
from typing import NamedTuple

from repositories.vocabulary import ReportFormat, ReportType

MAX_PERIOD_DAYS = 730  # from the first to the last day: two calendar years fit, leap day and all


class Offer(NamedTuple):
    """What can be asked for. A report that has no period covers everything.

    `shows_patients`: the formats in which patients' health numbers stand. Such a report expires
    when one of its patients is erased.
    """

    formats: tuple[ReportFormat, ...]
    has_period: bool = True
    shows_patients: tuple[ReportFormat, ...] = ()


_DOCUMENT = Offer((ReportFormat.CSV, ReportFormat.PDF))
CATALOGUE = {
    ReportType.ACCOUNTANT_SUMMARY: _DOCUMENT,
    ReportType.ACCOUNTANT_DETAIL: _DOCUMENT._replace(shows_patients=(ReportFormat.CSV,)),
    ReportType.WEEKLY_SUMMARY: _DOCUMENT,
    ReportType.MONTHLY_PERFORMANCE: _DOCUMENT,
    ReportType.RRNP_QUARTERLY: _DOCUMENT,
    ReportType.WCB_TIMING: _DOCUMENT,
    ReportType.REJECTION_DIGEST: _DOCUMENT,
    ReportType.DATA_PORTABILITY: Offer(
        (ReportFormat.ZIP,), has_period=False, shows_patients=(ReportFormat.ZIP,)
    ),
}

SCHEDULED = timedelta(days=90)
ON_DEMAND = timedelta(days=30)
PORTABILITY = timedelta(hours=72)


def kept_until(report_type: ReportType, *, scheduled: bool, since: datetime) -> datetime:
    """When the download ends: `since` is the time of readiness, or of the request while pending."""
    if report_type is ReportType.DATA_PORTABILITY:
        return since + PORTABILITY
    return since + (SCHEDULED if scheduled else ON_DEMAND)
