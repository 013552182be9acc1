"""The topic of the AI coach: each event once, and what it adds to the coach's figures."""

from collections.abc import Sequence
from functools import partial

from consumers.contracts.decode import decode_event
from consumers.contracts.envelope import CloudEvent
from consumers.contracts.refusal import DeadLetter, DeadLetterReason, Record
from consumers.contracts.registry import AI_SUGGESTION
from consumers.contracts.suggestions import AiSuggestion
from consumers.engine.subscription import Judge, Outcome, Refusal, Subscription
from repositories.calendar import day_in_alberta
from repositories.offsets import NextOffset
from repositories.operations.letters import NO_LETTERS, BatchLetters
from repositories.postgres.database import Database
from repositories.suggestions.batch import AppliedSuggestions, apply_suggestion_batch
from repositories.suggestions.rows import SuggestionRow

CONFLICT = "event_id: this event came with other content before"


def decode_suggestion(record: Record) -> SuggestionRow | DeadLetter:
    """Pure, and raises nothing."""
    return decode_event(record, AI_SUGGESTION, partial(_row, record))


async def apply_suggestions(
    database: Database,
    events: Sequence[SuggestionRow],
    offsets: Sequence[NextOffset],
    judge: Judge,
    letters: BatchLetters = NO_LETTERS,
) -> Outcome:
    """Store a batch of the coach's events and count the new ones."""
    applied = await apply_suggestion_batch(
        database, events, offsets, lambda applied: judge(_refusals(applied)), letters
    )
    return Outcome(
        applied=applied.applied,
        duplicate=applied.duplicate,
        changed_rows=applied.changed_rows,
        refusals=_refusals(applied),
        erased=applied.erased,
        decoded_differently=applied.decoded_differently,
    )


AI_SUGGESTIONS = Subscription(
    AI_SUGGESTION.topic,
    {AI_SUGGESTION.topic: decode_suggestion},
    apply_suggestions,
    optional=True,  # not every platform has a coach
    in_lanes=True,
)


def _row(record: Record, event: CloudEvent, data: AiSuggestion) -> SuggestionRow:
    return SuggestionRow(
        **data.__dict__,
        created_day=day_in_alberta(data.created_at),
        occurred_at=event.time,
        source_topic=record.topic,
        source_partition=record.partition,
        source_offset=record.offset,
    )


def _refusals(applied: AppliedSuggestions) -> list[Refusal]:
    return [
        Refusal(
            refused.topic,
            refused.partition,
            refused.offset,
            DeadLetterReason.VERSION_CONFLICT,
            CONFLICT,
            refused.claim_id,
            refused.provider_id,
        )
        for refused in applied.refused
    ]
