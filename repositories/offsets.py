"""The next offset of each partition, stored in the transaction that holds the effect."""

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    FromClause,
    Integer,
    Select,
    Text,
    bindparam,
    column,
    delete,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine

from repositories.errors import DatabaseBehind
from repositories.operations.tables import dead_letters
from repositories.postgres.database import Database
from repositories.tables import consumer_offsets
from repositories.vocabulary import LetterState

KEY: Final = ("consumer_group", "topic", "partition")
# What is stored, and what the arrays hold in which it is given.
GIVEN: Final[dict[str, type[TypeEngine[Any]]]] = {
    "consumer_group": Text,
    "topic": Text,
    "partition": Integer,
    "next_offset": BigInteger,
}
LOST = (
    "the database has lost what was applied to it: it was restored from a backup, or a standby took"
    " over that did not have everything"
)


class NextOffset(NamedTuple):
    """Where a consumer group goes on in a partition: the offset of the *next* message.

    `after` is where its messages begin: what must be stored by then, or None where an operator
    ordered to pass over some. `is_new`: nothing was stored when reading began, and may not be yet.
    """

    group: str
    topic: str
    partition: int
    offset: int
    after: int | None = None
    is_new: bool = False


async def store_offsets(connection: AsyncConnection, offsets: Iterable[NextOffset]) -> None:
    """Store them in the caller's transaction, in order of their keys.

    Raises DatabaseBehind if a stored offset is lower than the messages that are applied with it
    began. A database that was restored, or a standby that took over, has lost transactions then.
    """
    ordered = sorted(offsets, key=lambda o: o[:3])
    if not ordered:
        return
    given = dict(zip(GIVEN, map(list, zip(*(o[:4] for o in ordered), strict=True)), strict=True))
    rows = await connection.execute(_stored_before(), given)
    stored = {(row.consumer_group, row.topic, row.partition): row.next_offset for row in rows}
    ahead = (o for o in ordered if o.after is not None and not (o.is_new and o[:3] not in stored))
    if any(stored.get(o[:3], -1) < (o.after or 0) for o in ahead):
        raise DatabaseBehind(LOST)
    await connection.execute(_store(), given)


@cache
def _stored_before() -> Select[Any]:
    given = _given()
    key = tuple_(*(consumer_offsets.c[name] for name in KEY))
    mine = select(consumer_offsets).where(key.in_(select(*(given.c[name] for name in KEY))))
    return mine.order_by(key).with_for_update()


@cache
def _store() -> Insert:
    statement = insert(consumer_offsets).from_select(list(GIVEN), select(_given()))
    return statement.on_conflict_do_update(
        index_elements=KEY,
        set_={"next_offset": statement.excluded.next_offset, "updated_at": func.now()},
    )


def _given() -> FromClause:
    """Rows that are given as an array a column: so the statement is the same for any number of
    them, and is put together here, and prepared by the server, once."""
    arrays: list[BindParameter[Any]] = [
        bindparam(name, type_=ARRAY(of)) for name, of in GIVEN.items()
    ]
    rows = func.unnest(*arrays).table_valued(*(column(name, of) for name, of in GIVEN.items()))
    return rows.render_derived(name="given")


async def forget_offsets(database: Database, group: str, topics: Collection[str]) -> None:
    """Of topics that are not what they were: the group reads them from the beginning."""
    of_topics = consumer_offsets.c.topic.in_(topics)
    if topics:
        async with database.transaction() as connection:
            await connection.execute(
                delete(consumer_offsets).where(
                    consumer_offsets.c.consumer_group == group, of_topics
                )
            )


async def stored_offset(database: Database, group: str, topic: str, partition: int) -> int | None:
    """The stored next offset of a partition; None if nothing of it was ever applied."""
    key = (
        consumer_offsets.c.consumer_group == group,
        consumer_offsets.c.topic == topic,
        consumer_offsets.c.partition == partition,
    )
    async with database.transaction() as connection:
        found = await connection.scalar(select(consumer_offsets.c.next_offset).where(*key))
    return None if found is None else int(found)


async def stored_offsets(database: Database, group: str) -> dict[tuple[str, int], int]:
    """The stored next offsets of a group, by topic and partition."""
    async with database.transaction() as connection:
        return await offsets_of(connection, group)


async def offsets_of(connection: AsyncConnection, group: str) -> dict[tuple[str, int], int]:
    """As `stored_offsets`, at the moment of the caller's snapshot."""
    own = select(consumer_offsets).where(consumer_offsets.c.consumer_group == group)
    rows = (await connection.execute(own)).all()
    return {(row.topic, row.partition): int(row.next_offset) for row in rows}


async def unsent_letters(database: Database, group: str) -> dict[tuple[str, int], Collection[int]]:
    """The offsets of open letters of a group that are not known to lie on the dead letter topic, by
    partition: those of batches that were broken off, so a few."""
    topic, number = dead_letters.c.source_topic, dead_letters.c.source_partition
    unsent = (
        select(topic, number, func.array_agg(dead_letters.c.source_offset))
        .where(dead_letters.c.consumer_group == group, dead_letters.c.copy_offset.is_(None))
        .where(dead_letters.c.state == LetterState.OPEN)
        .group_by(topic, number)
    )
    async with database.snapshot() as connection:
        rows = (await connection.execute(unsent)).all()
    return {(row[0], row[1]): row[2] for row in rows}
