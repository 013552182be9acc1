"""`ai_suggestions`: what the AI coach said and what came of it, each event once."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from tests.oracle.claims import PlainEvent
from tests.oracle.fields import Parse, day_in_alberta, moment, money, parsed, uuid

Suggestion = dict[str, Any]  # the columns of `ai_suggestions`

SUGGESTION_TYPE: Final = "ca.meritum.ai.suggestion.v1"
FIELDS: Final[dict[str, Parse]] = {
    "event_id": uuid,
    "suggestion_id": uuid,
    "claim_id": uuid,
    "provider_id": uuid,
    "rule_id": uuid,
    "rule_name": str,
    "category": str,
    "tier": int,
    "event_type": str,
    "revenue_impact": money,
    "created_at": moment,
}


def suggestions(events: Iterable[PlainEvent]) -> dict[UUID, Suggestion]:
    """Every event once. Raises ValueError where two contents have one `event_id`."""
    found: dict[UUID, Suggestion] = {}
    for event in events:
        suggestion = parsed(event["data"], FIELDS, {})
        suggestion["created_day"] = day_in_alberta(suggestion["created_at"])
        event_id = suggestion["event_id"]
        if found.setdefault(event_id, suggestion) != suggestion:
            raise ValueError(f"two contents for suggestion event {event_id}")
    return found
