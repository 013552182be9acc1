"""Was it counted? What became of a claim's events, and what can be said where none is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from consumers.topics.claims import CLAIMS
from repositories.offsets import offsets_of
from repositories.operations.receipts import (
    AppliedEvent,
    ClaimLetter,
    ClaimReceipt,
    count_unnamed_letters,
    read_receipt,
)
from repositories.postgres.database import Database
from repositories.vocabulary import LetterState
from service.kafka import kafka_admin
from service.operations.reading import Unread, ask
from service.settings import Settings
from service.wiring import kafka_connection


class Answer(StrEnum):
    """Whether the claim, or the version that was asked for, was counted."""

    YES = "yes"  # it makes the claim what it is now
    OVERTAKEN = "overtaken"  # it is in the history, and a higher version counts
    REMOVED = "removed"  # it was over its time, and nothing is kept of it
    DEAD = "dead"  # it could not be used: a letter names the claim
    NO = "no"  # all that was there was read, and it was not among it
    NOT_YET = "not yet"  # something was not read that may hold it


@dataclass(frozen=True)
class Receipt:
    """`version` is the one that was asked for. Where no event answers: `behind` are partitions
    that were not read to their end by `at` (None: by now), `missing` topics are not in Kafka, and
    so many open letters name no claim (`unnamed_letters`) and could be about this one."""

    answer: Answer
    version: int | None
    claim: ClaimReceipt
    at: datetime | None = None
    behind: Sequence[Unread] = ()
    missing: Sequence[str] = ()
    unnamed_letters: int = 0


async def receipt(
    settings: Settings, database: Database, claim_id: UUID, version: int | None, at: datetime | None
) -> Receipt:
    """Kafka is asked only where no event answers. Raises KafkaFailed then, or RepositoryErrors."""
    async with database.snapshot() as connection:
        claim = await read_receipt(connection, claim_id)
    if answer := _known(claim, version):
        return Receipt(answer, version, claim)
    if version is None and _dead(claim):
        return Receipt(Answer.DEAD, version, claim)
    topics = [settings.topic(name) for name in CLAIMS.decoders]
    async with kafka_admin(kafka_connection(settings)) as admin:
        there = await admin.existing_topics()
        asked = await ask(admin, [topic for topic in topics if topic in there], at)
    # After Kafka was asked: what is stored by now holds all that it had read, and its claims.
    async with database.snapshot() as connection:
        claim = await read_receipt(connection, claim_id)
        stored = await offsets_of(connection, settings.group(CLAIMS.name))
        unnamed = await count_unnamed_letters(connection, topics)
    behind = asked.unread(stored, topics)
    answer = _known(claim, version) or _unknown(claim, behind)
    missing = [topic for topic in topics if topic not in there]
    return Receipt(answer, version, claim, at, behind, missing, unnamed)


def became(event: AppliedEvent, claim: ClaimReceipt) -> str:
    """What became of an event, in words.

    A batch applies its events at one time, so of those neither was late.
    """
    if event.claim_version == claim.counting_version:
        return "counts"
    late = [
        other.claim_version
        for other in claim.events
        if other.claim_version > event.claim_version and other.applied_at < event.applied_at
    ]
    if late:
        return f"stale: came after version {max(late)}"
    return f"overtaken by version {claim.counting_version}"


def _known(claim: ClaimReceipt, version: int | None) -> Answer | None:
    """What the history answers, if it does, or the tombstone that a claim has left in it."""
    if claim.removed_at:
        return Answer.REMOVED
    if claim.counting_version is None:
        return None
    if version in (None, claim.counting_version):
        return Answer.YES
    if version in {event.claim_version for event in claim.events}:
        return Answer.OVERTAKEN
    return None


def _unknown(claim: ClaimReceipt, behind: Sequence[Unread]) -> Answer:
    if behind:
        return Answer.NOT_YET
    return Answer.DEAD if _dead(claim) else Answer.NO


def _dead(claim: ClaimReceipt) -> Sequence[ClaimLetter]:
    return [letter for letter in claim.letters if letter.state is not LetterState.RESOLVED]
