"""The shape in which a decoded event of the AI coach crosses from `consumers` to `repositories`."""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from repositories.vocabulary import SuggestionEvent


class SuggestionRow(NamedTuple):
    """One event, fields in the column order of `ai_suggestions`; `event_id` is its identity.

    Money is in dollars with at most two decimals; times are aware. `created_day` is the day of
    `created_at` in Alberta, `occurred_at` the event's own time (`ce_time`); `source_*` say where it
    was read from.
    """

    event_id: UUID
    suggestion_id: UUID
    claim_id: UUID
    provider_id: UUID
    rule_id: UUID | None
    rule_name: str | None
    category: str
    tier: int
    event_type: SuggestionEvent
    revenue_impact: Decimal | None
    created_at: datetime
    created_day: date
    occurred_at: datetime
    source_topic: str
    source_partition: int
    source_offset: int
