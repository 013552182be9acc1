"""Hypothesis strategies for events: what may happen, and how it may be delivered."""

from tests.strategies.histories import claims_histories, crowded_months, deliveries
from tests.strategies.specs import (
    ADJUSTED,
    ASSESSED,
    EXPIRED,
    PAID,
    REJECTED,
    SAVED,
    SUBMITTED,
    SUGGESTION,
    WITHDRAWN,
    WRITTEN_OFF,
    EventSpec,
    to_message,
    to_plain,
    to_row,
    to_suggestion_row,
)
from tests.strategies.suggestions import suggestion_histories

__all__ = [
    "ADJUSTED",
    "ASSESSED",
    "EXPIRED",
    "PAID",
    "REJECTED",
    "SAVED",
    "SUBMITTED",
    "SUGGESTION",
    "WITHDRAWN",
    "WRITTEN_OFF",
    "EventSpec",
    "claims_histories",
    "crowded_months",
    "deliveries",
    "suggestion_histories",
    "to_message",
    "to_plain",
    "to_row",
    "to_suggestion_row",
]
