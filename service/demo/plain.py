"""What is said where there is no terminal: lines for the numbers, the physician, the reports."""

from collections.abc import Collection
from uuid import UUID

from repositories.records import SelectGeneratedReport
from repositories.vocabulary import ReportStatus
from service.demo.figures import MonthFigures
from service.demo.grid import money
from service.demo.sample import Sample
from service.demo.view import doing


def numbers_line(sample: Sample) -> str:
    counts = sample.counts
    return (
        f"{doing(sample)}; {sample.per_second:,.0f}/s, lag {sum(sample.lag.values()):,},"
        f" applied {counts.applied:,}, duplicate {counts.duplicate:,}, stale {counts.stale:,},"
        f" dead-lettered {counts.dead_lettered:,}"
    )


def month_line(sample: Sample) -> str | None:
    """The newest month of the physician, once there is one."""
    return _month(sample.physician, sample.months[-1]) if sample.months else None


def newly_ended(sample: Sample, known: Collection[UUID]) -> list[SelectGeneratedReport]:
    """Reports that are ready or have failed, the oldest first; not the known."""
    over = (ReportStatus.READY, ReportStatus.FAILED)
    ended = [report for report in reversed(sample.reports) if report.status in over]
    return [report for report in ended if report.report_id not in known]


def _month(physician: str, figures: MonthFigures) -> str:
    return (
        f"{physician}, {figures.month:%B %Y}: {figures.submitted:,} claims submitted,"
        f" {figures.paid:,} paid, revenue {money(figures.revenue)},"
        f" pending {money(figures.pending_amount)}"
    )
