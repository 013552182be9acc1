"""Hypothesis strategies for claim events: what may happen, and how it may be delivered."""

from tests.strategies.histories import claims_histories, crowded_months, deliveries
from tests.strategies.specs import (
    PAID,
    SUBMITTED,
    EventSpec,
    to_message,
    to_plain,
    to_row,
)

__all__ = [
    "PAID",
    "SUBMITTED",
    "EventSpec",
    "claims_histories",
    "crowded_months",
    "deliveries",
    "to_message",
    "to_plain",
    "to_row",
]
