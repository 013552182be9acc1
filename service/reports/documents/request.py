"""What is asked of a renderer."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from repositories.report_rows import ProviderProfile
from repositories.vocabulary import ReportFormat, ReportType
from service.reports.documents.period import Period


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """One report to render, for one physician.

    `requested_at` is the only time that a report shows: no renderer reads a clock, so that the
    same request over the same rows gives the same bytes. `password` protects a ZIP (AES-256).
    """

    report_id: UUID
    provider: ProviderProfile
    report_type: ReportType
    format: ReportFormat
    period_start: date | None
    period_end: date | None
    requested_at: datetime
    password: str | None = field(default=None, repr=False)

    @property
    def period(self) -> Period:
        """The period of a report that has one; `ValueError` if the request names none."""
        if self.period_start is None or self.period_end is None:
            raise ValueError(
                f"a {self.report_type} report needs period_start and period_end, and the request "
                f"{self.report_id} lacks one: check requests before they are rendered"
            )
        return Period(self.period_start, self.period_end)
