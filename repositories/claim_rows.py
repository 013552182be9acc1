"""The shape in which a decoded claim event crosses from `consumers` into `repositories`."""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from repositories.vocabulary import ClaimState, ClaimType, FormId, TimingTier


class ClaimEventRow(NamedTuple):
    """One claim event, fields in the column order of `claim_events`.

    Money is in dollars with at most two decimals; times are aware. `occurred_at` is the event's
    own time (`ce_time`); `source_*` say where it was read from.
    """

    claim_id: UUID
    claim_version: int
    provider_id: UUID
    state: ClaimState
    claim_type: ClaimType
    date_of_service: date
    patient_phn: str | None
    ba_number: str | None
    location_id: UUID | None
    hsc_code: str | None
    modifiers: list[str]
    form_id: FormId | None
    timing_tier: TimingTier | None
    submitted_fee: Decimal
    submitted_at: datetime | None
    submission_deadline: date | None
    assessed_fee: Decimal | None
    payment_date: date | None
    rrnp_premium: Decimal | None
    occurred_at: datetime
    source_topic: str
    source_partition: int
    source_offset: int
