"""The rows that reports are made of, as they cross from `repositories` into `service`.

Money is in dollars with two decimals; times are aware, in UTC.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from repositories.vocabulary import (
    ClaimState,
    ClaimType,
    FormId,
    MetricKey,
    ReportFormat,
    ReportStatus,
    ReportType,
    TimingTier,
)


@dataclass(frozen=True, slots=True)
class Location:
    """A practice location; `rrnp_rate` is a percentage, None if unknown."""

    location_id: UUID
    name: str
    rrnp_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ProviderProfile:
    """A physician as far as known; all but the id may be missing."""

    provider_id: UUID
    first_name: str | None = None
    last_name: str | None = None
    billing_number: str | None = None
    locations: tuple[Location, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A claim as it is now: the row of `claims`. PHI: `patient_phn`."""

    claim_id: UUID
    claim_version: int
    state: ClaimState
    claim_type: ClaimType
    date_of_service: date
    patient_phn: str | None
    ba_number: str | None
    location_id: UUID | None
    hsc_code: str | None
    modifiers: tuple[str, ...]
    form_id: FormId | None
    timing_tier: TimingTier | None
    submitted_fee: Decimal
    submitted_at: datetime | None
    submission_deadline: date | None
    assessed_fee: Decimal | None
    payment_date: date | None
    rrnp_premium: Decimal | None


@dataclass(frozen=True, slots=True)
class ClaimHistoryRow:
    """One accepted event of a claim: the claim as the event said, and when. PHI: `claim`."""

    claim: ClaimRow
    occurred_at: datetime
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A row of `analytics_cache`."""

    metric_key: MetricKey
    period_start: date
    period_end: date
    dimensions: dict[str, str] | None
    value: dict[str, object]
    computed_at: datetime


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A row of `generated_reports`, as far as its physician may see it."""

    report_id: UUID
    report_type: ReportType
    format: ReportFormat
    period_start: date | None
    period_end: date | None
    status: ReportStatus
    file_size_bytes: int
    downloaded: bool
    scheduled: bool
    created_at: datetime
    download_link_expires_at: datetime
