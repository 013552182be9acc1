"""Typed rows of the two tables that the platform reads; the seeds call them Insert… and Select…."""

from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from repositories.vocabulary import MetricKey, ReportFormat, ReportStatus, ReportType


@dataclass(frozen=True, kw_only=True)
class InsertAnalyticsCache:
    """A row to write. `dimensions` has one key, or is None for the top level."""

    cache_id: UUID = field(default_factory=uuid4)
    provider_id: UUID
    metric_key: MetricKey
    period_start: date
    period_end: date
    dimensions: dict[str, str] | None = None
    value: dict[str, Any]
    computed_at: datetime


@dataclass(frozen=True, kw_only=True)
class SelectAnalyticsCache(InsertAnalyticsCache):
    """A row as it stands in `analytics_cache`."""


@dataclass(frozen=True, kw_only=True)
class RequestedReport:
    """What is asked for; a report that has no period covers everything."""

    report_id: UUID = field(default_factory=uuid4)
    provider_id: UUID
    report_type: ReportType
    format: ReportFormat
    period_start: date | None = None
    period_end: date | None = None
    scheduled: bool = False


REQUESTED = tuple(each.name for each in fields(RequestedReport))


@dataclass(frozen=True, kw_only=True)
class InsertGeneratedReport(RequestedReport):
    """A row to write; what has a default in the table has it here."""

    file_path: str
    file_size_bytes: int
    download_link_expires_at: datetime
    downloaded: bool = False
    status: ReportStatus = ReportStatus.PENDING
    error_message: str | None = None


@dataclass(frozen=True, kw_only=True)
class SelectGeneratedReport(InsertGeneratedReport):
    """A row as it stands in `generated_reports`. `file_path` is for the service alone."""

    created_at: datetime
