"""The kinds of events that can be replayed, as their decoders hand them over."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from consumers.contracts.refusal import DeadLetterReason
from consumers.engine.subscription import AnySubscription
from consumers.topics.claims import CLAIMS, REASONS
from consumers.topics.suggestions import AI_SUGGESTIONS, CONFLICT
from repositories.claims.redecoding import ClaimHistory
from repositories.replaying.replay import Events
from repositories.replaying.replayed import Identity, Place
from repositories.suggestions.redecode import SuggestionHistory
from repositories.suggestions.rows import SuggestionRow


@dataclass(frozen=True)
class Kind:
    """`reason` says why an event is refused, by whether it is because of another provider."""

    subscription: AnySubscription
    events: Events
    identity: Callable[[Any], Identity]
    place: Callable[[Any], Place]
    reason: Callable[[bool], tuple[DeadLetterReason, str]]


def _identity_of_line(line: bytes) -> Identity:
    claim, version, provider, _ = line.split(b"\t", 3)
    return Identity(UUID(claim.decode()), int(version), UUID(provider.decode()))


def _place_of_line(line: bytes) -> Place:
    _, topic, partition, offset = line.rsplit(b"\t", 3)
    return Place(topic.decode(), int(partition), int(offset))


def _identity_of_row(row: SuggestionRow) -> Identity:
    return Identity(row.event_id, None, row.provider_id)


def _place_of_row(row: SuggestionRow) -> Place:
    return Place(row.source_topic, row.source_partition, row.source_offset)


KINDS: Final = (
    Kind(CLAIMS, ClaimHistory(), _identity_of_line, _place_of_line, REASONS.__getitem__),
    Kind(
        AI_SUGGESTIONS,
        SuggestionHistory(),
        _identity_of_row,
        _place_of_row,
        lambda _: (DeadLetterReason.VERSION_CONFLICT, CONFLICT),
    ),
)
