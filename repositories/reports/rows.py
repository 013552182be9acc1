"""The rows that reports are made of, as they cross from `repositories` into `service`.

Money is in dollars with two decimals; times are aware, in UTC.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from repositories import vocabulary
from repositories.records import RequestedReport


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
    """A claim as an event says it is: as the newest does, where nothing else is said.

    `submitted_fee` is None in an unfinished draft. PHI: `patient_phn`.
    """

    claim_id: UUID
    claim_version: int
    state: vocabulary.ClaimState
    claim_type: vocabulary.ClaimType
    date_of_service: date
    patient_phn: str | None
    ba_number: str | None
    location_id: UUID | None
    hsc_code: str | None
    modifiers: tuple[str, ...]
    form_id: vocabulary.FormId | None
    timing_tier: vocabulary.TimingTier | None
    submitted_fee: Decimal | None
    submitted_at: datetime | None
    submission_deadline: date | None
    assessed_fee: Decimal | None
    payment_date: date | None
    rrnp_premium: Decimal | None
    explanatory_codes: tuple[str, ...]
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimHistoryRow:
    """One accepted event of a claim: the claim as the event said, and when. PHI: `claim`."""

    claim: ClaimRow
    occurred_at: datetime
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class Received:
    """What has come of a provider's events: a report says nothing about what has not.

    `applied_until` is when the newest of them was applied; None without any. `unsent` is whether a
    claim was ever heard of before it was sent: not every publisher tells (`claim-saved`).
    `unfilled` are the metrics that an upgrade brought and that wait to be computed.
    """

    applied_until: datetime | None
    rejections: bool
    unsent: bool
    unfilled: frozenset[vocabulary.MetricKey] = frozenset()


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A row of `analytics_cache`."""

    metric_key: vocabulary.MetricKey
    period_start: date
    period_end: date
    dimensions: dict[str, str] | None
    value: dict[str, object]
    computed_at: datetime


@dataclass(frozen=True, kw_only=True)
class ReportRow(RequestedReport):
    """A row of `generated_reports`, as far as its physician may see it."""

    status: vocabulary.ReportStatus
    file_size_bytes: int
    downloaded: bool
    created_at: datetime
    download_link_expires_at: datetime
