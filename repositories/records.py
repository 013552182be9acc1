"""Typed rows of the two tables that the platform reads; the seeds call them Insert… and Select…."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from repositories.vocabulary import MetricKey, ReportFormat, ReportStatus, ReportType


@dataclass(frozen=True, kw_only=True)
class InsertAnalyticsCache:
    """A row to write. `dimensions` has one key, or is None for the top level."""

    provider_id: UUID
    metric_key: MetricKey
    period_start: date
    period_end: date
    value: dict[str, Any]
    computed_at: datetime
    dimensions: dict[str, str] | None = None
    cache_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, kw_only=True)
class SelectAnalyticsCache:
    """A row as it stands in `analytics_cache`."""

    cache_id: UUID
    provider_id: UUID
    metric_key: MetricKey
    period_start: date
    period_end: date
    dimensions: dict[str, str] | None
    value: dict[str, Any]
    computed_at: datetime


@dataclass(frozen=True, kw_only=True)
class InsertGeneratedReport:
    """A row to write; what has a default in the table has it here."""

    provider_id: UUID
    report_type: ReportType
    format: ReportFormat
    file_path: str
    file_size_bytes: int
    download_link_expires_at: datetime
    period_start: date | None = None
    period_end: date | None = None
    downloaded: bool = False
    scheduled: bool = False
    status: ReportStatus = ReportStatus.PENDING
    error_message: str | None = None
    report_id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, kw_only=True)
class SelectGeneratedReport:
    """A row as it stands in `generated_reports`. `file_path` is for the service alone."""

    report_id: UUID
    provider_id: UUID
    report_type: ReportType
    format: ReportFormat
    period_start: date | None
    period_end: date | None
    file_path: str
    file_size_bytes: int
    download_link_expires_at: datetime
    downloaded: bool
    scheduled: bool
    status: ReportStatus
    error_message: str | None
    created_at: datetime
