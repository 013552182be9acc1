"""Sending dead letters back to their topics, and saying beforehand what would become of them."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass

from consumers.contracts.letters import Original, copy_headers
from consumers.contracts.refusal import DeadLetter
from consumers.engine.dead_letters import originals
from consumers.engine.subscription import AnySubscription, Decode, Refusal
from repositories.operations.letter_states import (
    KnownLetter,
    LetterFilter,
    find_letters,
    mark_lost,
    mark_redriven,
    redriving_alone,
)
from repositories.operations.letters import Letter, LetterId, Place
from repositories.postgres.database import Database
from service.kafka import KafkaAdmin, Message, Positions, Publisher, kafka_admin, publisher
from service.parts import EVERY_SUBSCRIPTION
from service.settings import Settings
from service.wiring import kafka_connection

CHUNK = 100  # letters at a time, whose messages are in memory
MOST_REDRIVES = 3
TAKEN_IN = "would be taken in"
LOST = "lost: neither the topic nor its dead letter topic has the message any more"
TOO_OFTEN = f"not redriven: it was {MOST_REDRIVES} times already (--again)"
NOT_READ = "not redriven: its topic is none that this service reads"


@dataclass(frozen=True)
class Verdict:
    """What would become of a letter."""

    letter: KnownLetter
    what: str


@dataclass(frozen=True)
class _Chunk:
    """Some letters: the messages of those that can be sent, what stands against others."""

    ready: Sequence[tuple[KnownLetter, Original]]
    lost: Sequence[KnownLetter]
    left_out: Mapping[str, Sequence[KnownLetter]]


async def redrive(
    settings: Settings,
    database: Database,
    which: LetterFilter,
    counts: Counter[str],
    tell: Callable[[], None] = lambda: None,
    *,
    again: bool = False,
) -> None:
    """Send copies of the letters' messages to their topics, then mark the letters; `counts` grow
    with each step, and `tell` is called then.

    Broken off between the two, letters stay as they were: sent a second time, their messages are
    duplicates. Of several redrives at once one at a time finds some letters, sends and marks them,
    so none of them sends what another has sent. Raises KafkaFailed, or LockNotAvailable if another
    redrive hangs; what was done until then stays.
    """
    connection = kafka_connection(settings)
    after: LetterId | None = None
    async with kafka_admin(connection) as admin, publisher(connection, large=True) as publishing:
        while True:
            async with redriving_alone(database):
                letters = await find_letters(database, which, CHUNK, after)
                if not letters:
                    return
                chunk = await _looked_up(settings, admin, letters, again=again)
                await _send(publishing, chunk)
                await mark_redriven(database, [letter for letter, _ in chunk.ready])
                await mark_lost(database, chunk.lost)
            after = letters[-1].letter_id
            counts["redriven"] += len(chunk.ready)
            counts["lost"] += len(chunk.lost)
            for why, left_out in chunk.left_out.items():
                counts[why] += len(left_out)
            tell()


async def _send(publishing: Publisher, chunk: _Chunk) -> None:
    """Until the broker has acknowledged all."""
    for letter, original in chunk.ready:
        headers = copy_headers(original, letter.redrives + 1)
        await publishing.send(Message(original.topic, original.key, original.value, headers))
    await publishing.flush()


async def forecast(
    settings: Settings, database: Database, which: LetterFilter, *, again: bool = False
) -> AsyncGenerator[Verdict]:
    """What would become of each letter, by today's code and the database as it stands.

    Nothing is sent and nothing changes: what is tried is rolled back. Raises KafkaFailed.
    """
    after: LetterId | None = None
    async with kafka_admin(kafka_connection(settings)) as admin:
        while letters := await find_letters(database, which, CHUNK, after):
            chunk = await _looked_up(settings, admin, letters, again=again)
            dead = await _dead_again(settings, database, [message for _, message in chunk.ready])
            for letter, _ in chunk.ready:
                yield Verdict(letter, dead.get(letter.letter_id, TAKEN_IN))
            for why, others in (*chunk.left_out.items(), (LOST, chunk.lost)):
                for letter in others:
                    yield Verdict(letter, why)
            after = letters[-1].letter_id


async def message_of(settings: Settings, letter: KnownLetter) -> Original | None:
    """The letter's message, from whichever topic has it. Raises KafkaFailed."""
    async with kafka_admin(kafka_connection(settings)) as admin:
        return (await _messages(settings, admin, [letter])).get(letter.letter_id)


async def _looked_up(
    settings: Settings, admin: KafkaAdmin, letters: Sequence[KnownLetter], *, again: bool
) -> _Chunk:
    known = _by_topic(settings)
    left_out: dict[str, list[KnownLetter]] = {}
    asked = []
    for letter in letters:
        if letter.letter_id.topic not in known:
            left_out.setdefault(NOT_READ, []).append(letter)
        elif letter.redrives >= MOST_REDRIVES and not again:
            left_out.setdefault(TOO_OFTEN, []).append(letter)
        else:
            asked.append(letter)
    found = await _messages(settings, admin, asked)
    return _Chunk(
        [(each, found[each.letter_id]) for each in asked if each.letter_id in found],
        [each for each in asked if each.letter_id not in found],
        left_out,
    )


async def _messages(
    settings: Settings, admin: KafkaAdmin, letters: Sequence[KnownLetter]
) -> dict[LetterId, Original]:
    suffix = settings.topic_dlq_suffix
    topics = {letter.letter_id.topic for letter in letters}
    there = await admin.existing_topics() & {*topics, *(topic + suffix for topic in topics)}
    ends: Positions = await admin.end_offsets(there)
    copies = {
        letter.letter_id: (letter.copy_partition, letter.copy_offset)
        if letter.copy_partition is not None and letter.copy_offset is not None
        else None
        for letter in letters
    }
    return await originals(kafka_connection(settings), suffix, copies, ends)


class _TriedError(Exception):
    """Ends a transaction that is only tried, with what was refused in it."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__()
        self.refusals = refusals


def _tried(refusals: Sequence[Refusal]) -> Sequence[Letter]:
    raise _TriedError(refusals)


async def _dead_again(
    settings: Settings, database: Database, messages: Sequence[Original]
) -> dict[LetterId, str]:
    """Why those of them would die that would."""
    known, dead = _by_topic(settings), {}
    events: dict[str, list[object]] = {}
    ids: dict[Place, LetterId] = {}
    for message in messages:
        letter_id = LetterId(message.topic, message.partition, message.offset, message.timestamp)
        subscription, decode = known[message.topic]
        decoded = decode(message)
        if isinstance(decoded, DeadLetter):
            dead[letter_id] = _again(decoded.reason, decoded.detail)
        elif subscription.in_lanes:  # the others refuse nothing that they have understood
            ids[letter_id[:3]] = letter_id
            events.setdefault(subscription.name, []).append(decoded)
    for subscription in EVERY_SUBSCRIPTION:
        if subscription.name in events:
            try:
                await subscription.handle(database, events[subscription.name], [], _tried)
            except _TriedError as tried:
                for refusal in tried.refusals:
                    dead[ids[refusal.place]] = _again(refusal.reason, refusal.detail)
    return dead


def _again(reason: str, detail: str) -> str:
    return f"would be dead again: {reason}, {detail}"


def _by_topic(settings: Settings) -> dict[str, tuple[AnySubscription, Decode[object]]]:
    return {
        settings.topic(name): (subscription, decode)
        for subscription in EVERY_SUBSCRIPTION
        for name, decode in subscription.decoders.items()
    }
