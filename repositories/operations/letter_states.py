"""Dead letters as operators see and move them: lists, and the states that a person brings about."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.operations.letters import (
    KEY,
    LetterId,
    keys_of,
    locked,
    moved,
    same,
    unnested,
)
from repositories.operations.tables import dead_letters
from repositories.postgres.database import Database
from repositories.vocabulary import LetterState

# A copy is read within seconds. One of which nothing is heard for so long was lost on its way, or
# nobody reads its topic: its letter counts as open again.
REDRIVEN_MINUTES = 5
WAITING = (LetterState.OPEN, LetterState.REDRIVEN, LetterState.LOST)  # what lists show by default
REDRIVE_LOCK = 0x7265647269766E  # the number spells "redrivn"
REDRIVE_LOCK_SECONDS = 60  # another redrive has it for a hundred letters at a time

_columns = dead_letters.c
_overdue = sa.and_(
    _columns.state == LetterState.REDRIVEN,
    _columns.state_since < sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, REDRIVEN_MINUTES),
)
_state = sa.case((_overdue, LetterState.OPEN.value), else_=sa.cast(_columns.state, sa.Text))


@dataclass(frozen=True)
class LetterFilter:
    """Which letters: all that every given rule fits. `since`: dead-lettered then or later.

    `place` is topic, partition and offset of one message; several letters can have it, if the topic
    was created anew.
    """

    topics: Sequence[str] = ()
    reasons: Sequence[str] = ()
    states: Sequence[LetterState] = ()
    since: datetime | None = None
    place: tuple[str, int, int] | None = None
    details: Sequence[str] = ()

    @property
    def given(self) -> dict[str, Any]:
        """The rules that were given, as JSON: for the record of what an operator asked for."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else list(value)
            for name, value in vars(self).items()
            if value
        }

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        found: list[sa.ColumnElement[bool]] = []
        if self.topics:
            found.append(_columns.source_topic.in_(self.topics))
        if self.reasons:
            found.append(_columns.reason.in_(self.reasons))
        if self.details:
            found.append(_columns.detail.in_(self.details))
        if self.states:
            found.append(_state.in_([state.value for state in self.states]))
        if self.since:
            found.append(_columns.first_seen_at >= self.since)
        if self.place:
            key = (_columns.source_topic, _columns.source_partition, _columns.source_offset)
            found += [column == value for column, value in zip(key, self.place, strict=True)]
        return found


class LetterGroup(NamedTuple):
    """Letters of one topic that have the same reason, detail and state."""

    topic: str
    reason: str
    detail: str
    state: str  # a LetterState
    letters: int
    first: datetime
    last: datetime


@dataclass(frozen=True)
class KnownLetter:
    """All that is known of a letter. `state_since` tells whether it has moved meanwhile."""

    letter_id: LetterId
    reason: str
    detail: str
    group: str
    provider_id: UUID | None
    claim_id: UUID | None
    report_id: UUID | None
    state: LetterState
    first_seen_at: datetime
    state_since: datetime
    redrives: int
    copy_partition: int | None
    copy_offset: int | None


async def grouped_letters(database: Database, which: LetterFilter) -> Sequence[LetterGroup]:
    """The largest groups first."""
    names = (_columns.source_topic, _columns.reason, _columns.detail, _state)
    seen = _columns.first_seen_at
    count = sa.func.count()
    groups = (
        sa.select(*names, count, sa.func.min(seen), sa.func.max(seen))
        .where(*which.conditions)
        .group_by(*names)
        .order_by(count.desc(), *names[:3])
    )
    async with database.snapshot() as connection:
        rows = (await connection.execute(groups)).all()
    return [LetterGroup(*row) for row in rows]


async def find_letters(
    database: Database, which: LetterFilter, limit: int, after: LetterId | None = None
) -> Sequence[KnownLetter]:
    """At most `limit` of them, in the order of their keys, beginning behind `after`."""
    key = [_columns[name] for name in KEY]
    letters = sa.select(dead_letters, _state.label("state_now")).where(*which.conditions)
    if after:
        letters = letters.where(sa.tuple_(*key) > sa.tuple_(*after[:3], after.moment))
    async with database.snapshot() as connection:
        rows = await connection.execute(letters.order_by(*key).limit(limit))
        return [_known(row) for row in rows.mappings()]


async def count_letters(database: Database, which: LetterFilter) -> int:
    async with database.snapshot() as connection:
        counted = sa.select(sa.func.count()).select_from(dead_letters).where(*which.conditions)
        return int(await connection.scalar(counted) or 0)


async def open_letters(connection: AsyncConnection) -> dict[tuple[str, str], int]:
    """How many nobody has done anything about, or were redriven in vain, by topic and reason."""
    names = (_columns.source_topic, _columns.reason)
    waiting = _columns.state.in_((LetterState.OPEN, LetterState.REDRIVEN))  # as the index has it
    counted = (
        sa.select(*names, sa.func.count())
        .where(waiting, _state == LetterState.OPEN.value)
        .group_by(*names)
    )
    return {(topic, reason): n for topic, reason, n in await connection.execute(counted)}


async def mark_redriven(database: Database, letters: Sequence[KnownLetter]) -> None:
    """Copies of these were acknowledged. One that has moved since, as its copy was read already,
    stays where it is and counts the redrive alone."""
    rows = locked(letter.letter_id for letter in letters)
    count = dead_letters.update().values(redrives=_columns.redrives + 1)
    async with database.transaction() as connection:
        await connection.execute(count.where(same(dead_letters, rows)))
        await connection.execute(_unmoved(letters, LetterState.REDRIVEN))


async def mark_lost(database: Database, letters: Sequence[KnownLetter]) -> None:
    """No topic has their messages any more."""
    async with database.transaction() as connection:
        await connection.execute(_unmoved(letters, LetterState.LOST))


@asynccontextmanager
async def redriving_alone(database: Database) -> AsyncIterator[None]:
    """Within the block no other redrive finds letters, or marks those that it found.

    Held by a session of its own, so it blocks no batch, and whose process dies lets go of it.
    Raises LockNotAvailable if another does not let go for a minute.
    """
    async with database.session() as session:
        await session.execute(f"SET lock_timeout = '{REDRIVE_LOCK_SECONDS}s'")
        await session.execute("SET idle_session_timeout = 0")
        await session.execute("SELECT pg_advisory_lock($1)", REDRIVE_LOCK)
        yield


async def park_letters(database: Database, which: LetterFilter, *, lift: bool) -> int:
    """Park all of them that wait; with `lift`, open those that are parked. How many they were."""
    source = (LetterState.PARKED,) if lift else WAITING
    key = [_columns[name] for name in KEY]
    letters = (
        sa.select(*key)
        .where(*which.conditions, _columns.state.in_(source))
        .order_by(*key)
        .with_for_update()
        .cte("letters")
    )
    to = LetterState.OPEN if lift else LetterState.PARKED
    async with database.transaction() as connection:
        return (await connection.execute(moved(letters, to))).rowcount


def _unmoved(letters: Sequence[KnownLetter], state: LetterState) -> sa.Update:
    """Move those that are still as they were found."""
    ordered = sorted(letters, key=lambda letter: letter.letter_id)
    since = [letter.state_since for letter in ordered]
    found = unnested(
        since=(sa.DateTime(timezone=True), since),
        **keys_of([letter.letter_id for letter in ordered]),
    )
    rows = (
        sa.select(*(_columns[name] for name in KEY))
        .join(found, same(dead_letters, found))
        .where(_columns.state_since == found.c.since, _columns.state.in_(WAITING))
        .order_by(*(_columns[name] for name in KEY))
        .with_for_update(of=dead_letters)
        .cte("letters")
    )
    return moved(rows, state)


def _known(row: sa.RowMapping) -> KnownLetter:
    same_names = ("reason", "detail", "provider_id", "claim_id", "report_id", "first_seen_at")
    others = ("state_since", "redrives", "copy_partition", "copy_offset")
    return KnownLetter(
        LetterId.of_row(*(row[name] for name in KEY)),
        group=row["consumer_group"],
        state=LetterState(row["state_now"]),
        **{name: row[name] for name in (*same_names, *others)},
    )
