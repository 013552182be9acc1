"""Dead letters as rows: written, and resolved, in the transaction that applies their batch.

A letter is named by where its message was read, and by the message's timestamp, since a topic that
was created anew uses offsets again. What moves a letter stands in `docs/architecture.md`.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.operations.tables import dead_letters
from repositories.postgres.database import Database
from repositories.tombstones import erased_providers
from repositories.vocabulary import LetterState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS = 253_402_300_799_999  # the year 9999; publishers may stamp messages with anything
KEY = ("source_topic", "source_partition", "source_offset", "source_timestamp")
DETAIL = ("reason", "detail")

Place = tuple[str, int, int]  # topic, partition, offset of a message


class LetterId(NamedTuple):
    """Which message: its place, and its timestamp in milliseconds since 1970 (see `of`)."""

    topic: str
    partition: int
    offset: int
    timestamp: int

    @classmethod
    def of(cls, topic: str, partition: int, offset: int, timestamp: int) -> Self:
        """With a timestamp that a row can hold, whatever the publisher has made of it."""
        return cls(topic, partition, offset, min(max(timestamp, -1), LATEST_MS))

    @classmethod
    def of_row(cls, topic: str, partition: int, offset: int, moment: datetime) -> Self:
        return cls(topic, partition, offset, (moment - EPOCH) // timedelta(milliseconds=1))

    @property
    def moment(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.timestamp)


@dataclass(frozen=True)
class Letter:
    """A message that cannot be used, and why. The ids are those that it names, where it does.

    `is_copy`: the message is a copy, sent by a redrive, of the one that `letter_id` names.
    """

    letter_id: LetterId
    reason: str
    detail: str
    group: str
    provider_id: UUID | None = None
    claim_id: UUID | None = None
    report_id: UUID | None = None
    is_copy: bool = False


class Span(NamedTuple):
    """Consecutive messages of a partition: their offsets, ascending, and their timestamps."""

    topic: str
    partition: int
    offsets: Sequence[int]
    timestamps: Sequence[int]


@dataclass(frozen=True)
class BatchLetters:
    """What a batch has to do with dead letters.

    `dead` are those of its messages that could not be decoded, `copies` maps the places of copies
    to the letters that they are copies of, and `read` is every message of the batch.

    `known_until` has for each partition that has letters which are not resolved the highest of
    their offsets, as `highest_unresolved` found it: beyond it no message can have one. Without it
    all are looked for.
    """

    dead: Sequence[Letter] = ()
    copies: Mapping[Place, LetterId] = field(default_factory=dict)
    read: Sequence[Span] = ()
    known_until: Mapping[tuple[str, int], int] | None = None

    def id_at(self, place: Place) -> LetterId | None:
        """The message at this place, if the batch has read one there."""
        topic, partition, offset = place
        for span in self.read:
            if (span.topic, span.partition) == (topic, partition):
                at = bisect_left(span.offsets, offset)
                if at < len(span.offsets) and span.offsets[at] == offset:
                    return LetterId.of(*place, span.timestamps[at])
        return None


NO_LETTERS = BatchLetters()


class Copied(NamedTuple):
    """Where on the dead letter topic a letter's message lies."""

    letter_id: LetterId
    partition: int
    offset: int


async def not_erased(connection: AsyncConnection, letters: Sequence[Letter]) -> Sequence[Letter]:
    """Those that name no erased provider; to be called before the batch locks its providers, as no
    erasure can begin then until the transaction ends."""
    named = {letter.provider_id for letter in letters if letter.provider_id}
    erased = await erased_providers(connection, named)
    return [letter for letter in letters if letter.provider_id not in erased]


async def record_letters(
    connection: AsyncConnection, batch: BatchLetters, dead: Iterable[Letter]
) -> None:
    """Write the batch's `dead` letters, and resolve those whose message, or a copy of it, the batch
    has brought and could use: it was applied, or was there already.

    A letter that is there stays as it is, unless it is a copy that has died.
    """
    ordered = sorted(dead, key=lambda letter: letter.letter_id)
    ids = {letter.letter_id for letter in ordered}
    usable = {*batch.copies.values(), *await _unresolved(connection, batch)} - ids
    if usable and ids:  # in several statements below, so all of them first, in order
        await connection.execute(sa.select(locked(usable | ids)))
    await _insert(connection, [letter for letter in ordered if not letter.is_copy])
    await _reopen(connection, [letter for letter in ordered if letter.is_copy])
    if usable:
        letters = locked(usable, dead_letters.c.state != LetterState.RESOLVED)
        await connection.execute(moved(letters, LetterState.RESOLVED))


async def highest_unresolved(
    database: Database, partitions: Collection[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    """Of these partitions the highest offset of a letter that is not resolved, if there is one."""
    topic, number = dead_letters.c.source_topic, dead_letters.c.source_partition
    highest = (
        sa.select(topic, number, sa.func.max(dead_letters.c.source_offset))
        .where(topic.in_({name for name, _ in partitions}))
        .where(dead_letters.c.state != LetterState.RESOLVED)
        .group_by(topic, number)
    )
    async with database.snapshot() as connection:
        rows = (await connection.execute(highest)).all()
    found = {(row[0], row[1]): int(row[2]) for row in rows}
    return {at: offset for at, offset in found.items() if at in partitions}


async def store_copies(database: Database, copied: Sequence[Copied]) -> None:
    """Where the letters' messages lie on the dead letter topic, now that the broker has them."""
    places = {copy.letter_id: copy for copy in copied}
    ids = sorted(places)
    letters = locked(ids)
    place = unnested(
        copy_partition=(sa.Integer, [places[each].partition for each in ids]),
        copy_offset=(sa.BigInteger, [places[each].offset for each in ids]),
        **keys_of(ids),
    )
    update = dead_letters.update().values(
        copy_partition=place.c.copy_partition, copy_offset=place.c.copy_offset
    )
    async with database.transaction() as connection:
        await connection.execute(update.where(same(dead_letters, letters), same(place, letters)))


def locked(ids: Iterable[LetterId], *conditions: sa.ColumnElement[bool]) -> sa.CTE:
    """The rows of these letters that the conditions hold for, locked in the order of their keys."""
    wanted = unnested(**keys_of(sorted(ids)))
    return (
        sa.select(*(dead_letters.c[name] for name in KEY))
        .join(wanted, same(dead_letters, wanted))
        .where(*conditions)
        .order_by(*(dead_letters.c[name] for name in KEY))
        .with_for_update(of=dead_letters)
        .cte("letters")
    )


def moved(letters: sa.CTE, state: LetterState) -> sa.Update:
    """Bring them into this state, now."""
    return (
        dead_letters.update()
        .values(state=state, state_since=sa.func.now())
        .where(same(dead_letters, letters))
    )


async def _insert(connection: AsyncConnection, letters: Sequence[Letter]) -> None:
    if letters:
        new = insert(dead_letters).on_conflict_do_nothing()
        await connection.execute(new, [_row(letter) for letter in letters])


async def _reopen(connection: AsyncConnection, copies: Sequence[Letter]) -> None:
    """The letters of copies that have died, for today's reason; made anew if they are gone."""
    if not copies:
        return
    again = insert(dead_letters)
    values: dict[str, Any] = {name: again.excluded[name] for name in DETAIL}
    values |= {"state": LetterState.OPEN, "state_since": sa.func.now()}
    settled = (LetterState.RESOLVED, LetterState.PARKED)
    again = again.on_conflict_do_update(
        index_elements=KEY,
        set_=values,
        where=sa.and_(*(dead_letters.c.state != state for state in settled)),
    )
    await connection.execute(again, [_row(letter) for letter in copies])


async def _unresolved(connection: AsyncConnection, batch: BatchLetters) -> Sequence[LetterId]:
    """The letters, not yet resolved, of messages that the batch has read again.

    An ordinary batch reads nothing again, and so asks nothing.
    """
    first: dict[tuple[str, int], int] = {}
    last: dict[tuple[str, int], int] = {}
    for topic, partition, offsets, _ in batch.read:
        if batch.known_until is None or offsets[0] <= batch.known_until.get((topic, partition), -1):
            first.setdefault((topic, partition), offsets[0])
            last[topic, partition] = offsets[-1]
    if not first:
        return ()
    ranges = {
        "topics": [topic for topic, _ in first],
        "partitions": [partition for _, partition in first],
        "first": list(first.values()),
        "last": list(last.values()),
    }
    rows = await connection.execute(READ_AGAIN, ranges)
    found = [LetterId.of_row(*row) for row in rows]
    return [letter_id for letter_id in found if batch.id_at(letter_id[:3]) == letter_id]


# OFFSET 0 keeps the planner from reading all letters to join them: it looks each range up.
READ_AGAIN = sa.text(
    "SELECT letter.*"
    " FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS integer[]),"
    " CAST(:first AS bigint[]), CAST(:last AS bigint[])) AS read (topic, number, first, last),"
    " LATERAL (SELECT source_topic, source_partition, source_offset, source_timestamp"
    " FROM dead_letters WHERE source_topic = topic AND source_partition = number"
    " AND source_offset BETWEEN first AND last AND state <> 'resolved' OFFSET 0) AS letter"
)


def _row(letter: Letter) -> dict[str, Any]:
    topic, partition, offset, _ = letter.letter_id
    return {
        **dict(zip(KEY, (topic, partition, offset, letter.letter_id.moment), strict=True)),
        "reason": letter.reason,
        "detail": letter.detail,
        "consumer_group": letter.group,
        "provider_id": letter.provider_id,
        "claim_id": letter.claim_id,
        "report_id": letter.report_id,
        "redrives": int(letter.is_copy),
    }


def keys_of(ids: Sequence[LetterId]) -> dict[str, tuple[Any, list[Any]]]:
    """The four parts of the keys, each with its type, in the columns' names."""
    return {
        "source_topic": (sa.Text, [each.topic for each in ids]),
        "source_partition": (sa.Integer, [each.partition for each in ids]),
        "source_offset": (sa.BigInteger, [each.offset for each in ids]),
        "source_timestamp": (sa.DateTime(timezone=True), [each.moment for each in ids]),
    }


def unnested(**columns: tuple[Any, list[Any]]) -> sa.TableValuedAlias:
    """Lists of one length as the columns of a FROM clause."""
    arrays = [sa.literal(values, sa.ARRAY(kind)) for kind, values in columns.values()]
    named = [sa.column(name, kind) for name, (kind, _) in columns.items()]
    return sa.func.unnest(*arrays).table_valued(*named, name="wanted").render_derived()


def same(one: sa.FromClause, other: sa.FromClause) -> sa.ColumnElement[bool]:
    return sa.and_(*(one.c[name] == other.c[name] for name in KEY))
