"""What is answered, for the OpenAPI document: the handlers write it without going through these."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from repositories.vocabulary import ClaimType, MetricKey, ReportFormat, ReportStatus, ReportType

Value = Field(
    description="The fields of the key, by docs/metrics.md: counts are integers; money, averages"
    " and rates are strings with two decimals"
)
Dimensions = Field(description="One breakdown and its value; null: the total")


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Metric(_Answer):
    """A row of `analytics_cache`."""

    period_start: date
    period_end: date
    dimensions: dict[str, str] | None = Dimensions
    value: dict[str, Any] = Value
    computed_at: datetime
    stale: bool = Field(
        description="It was computed more than 60 minutes ago, and the service is behind, or it is"
        " not known whether it is"
    )


class Metrics(_Answer):
    """A page of rows of one key, by period, the total before the breakdowns."""

    key: MetricKey
    filled: bool = Field(
        description="False: the key came with an upgrade, and this provider's rows are still to be"
        " made; then there are none, which is not zero"
    )
    behind: bool | None = Field(
        description="Whether events of more than a minute ago wait to be read; null: not known"
    )
    rows: list[Metric]
    next: str | None = Field(description="`cursor` of the page that follows; null: there is none")


class Figure(_Answer):
    """What the row of a month would say if the range were that month."""

    key: MetricKey
    dimensions: dict[str, str] | None = Dimensions
    value: dict[str, Any] = Value


class Figures(_Answer):
    """Figures of any range of days, computed from the claims; what is nothing is left out."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    figures: list[Figure]


class Bracket(_Answer):
    """Claims of one payer in one bracket of days."""

    claim_type: ClaimType | None = Field(description="Null: of both payers")
    bracket: str
    count: int
    amount: str = Field(description="Submitted fees, with two decimals")


class Brackets(_Answer):
    """Every bracket for the total and for each payer."""

    key: MetricKey
    as_of: date
    filled: bool = Field(description="False: not made yet; then there are no brackets")
    brackets: list[Bracket]


class Report(_Answer):
    """A report, as it is at this moment."""

    report_id: UUID
    report_type: ReportType
    format: ReportFormat
    period_start: date | None = Field(description="Null: the report covers everything")
    period_end: date | None
    status: ReportStatus = Field(description="`expired` from the moment its download ends")
    file_size_bytes: int = Field(description="Of the download; 0 until it is ready")
    download_link_expires_at: datetime
    downloaded: bool
    scheduled: bool
    error_message: str | None = Field(description="Why it failed, for the person who asked for it")
    created_at: datetime


class Reports(_Answer):
    """A page of reports, the newest first."""

    reports: list[Report]
    next: str | None = Field(description="`cursor` of the page that follows; null: there is none")


class WrongParameter(BaseModel):
    """One of a problem's `errors`."""

    parameter: str
    detail: str


class ProblemDetails(BaseModel):
    """RFC 9457."""

    type: str = Field(description="What programs tell it by")
    title: str
    status: int
    detail: str
    errors: list[WrongParameter] | None = None
