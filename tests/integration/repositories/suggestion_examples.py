"""Events of the AI coach for tests that name each; what a test does not say has a usual value."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from consumers.contracts.suggestions import AiSuggestion
from repositories.offsets import NextOffset
from repositories.postgres.database import Database
from repositories.suggestions.batch import AppliedSuggestions, apply_suggestion_batch
from repositories.suggestions.rows import SuggestionRow
from repositories.vocabulary import SuggestionEvent
from tests.integration.repositories.examples import uuid_of
from tests.oracle import PlainEvent
from tests.strategies import SUGGESTION

TOPIC = "suggestions"


def suggestion(
    event: str = "A", offset: int = 0, provider: str = "P", **data: Any
) -> SuggestionRow:
    """As the decoder gives it; `offset` is where it was read."""
    usual: dict[str, Any] = {
        "event_id": uuid_of(f"event {event}"),
        "suggestion_id": uuid_of("suggestion"),
        "claim_id": uuid_of("claim A"),
        "provider_id": uuid_of(f"provider {provider}"),
        "rule_id": uuid_of("rule"),
        "rule_name": "Supplément du soir",
        "category": "MODIFIER",
        "tier": 1,
        "event_type": SuggestionEvent.ACCEPTED,
        "revenue_impact": Decimal("12.50"),
        "created_at": datetime(2024, 10, 16, 3, tzinfo=UTC),
        "created_day": date(2024, 10, 15),
        "occurred_at": datetime(2024, 10, 16, 4, tzinfo=UTC),
        "source_topic": TOPIC,
        "source_partition": 0,
        "source_offset": offset,
    }
    return SuggestionRow(**{**usual, **data})


async def apply_suggestions(
    database: Database, *rows: SuggestionRow, offsets: Sequence[NextOffset] = ()
) -> AppliedSuggestions:
    """One batch, and what became of its events; how many rows of the cache moved is left at 0."""
    applied = await apply_suggestion_batch(database, rows, offsets)
    return replace(applied, changed_rows=0)


def plain(row: SuggestionRow) -> PlainEvent:
    """For the oracle: what the message said."""
    data = {name: _in_json(getattr(row, name)) for name in AiSuggestion.model_fields}
    return {"type": SUGGESTION, "data": data}


def _in_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)
