"""The next offset of each partition, stored in the transaction that holds the effect."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.database import Database
from repositories.tables import consumer_offsets


class NextOffset(NamedTuple):
    """Where a consumer group goes on in a partition: the offset of the *next* message."""

    group: str
    topic: str
    partition: int
    offset: int


async def store_offsets(connection: AsyncConnection, offsets: Iterable[NextOffset]) -> None:
    """Store them in the caller's transaction, in order of their keys."""
    rows = [
        {"consumer_group": o.group, "topic": o.topic, "partition": o.partition,
         "next_offset": o.offset}
        for o in sorted(offsets)
    ]  # fmt: skip
    if not rows:
        return
    statement = insert(consumer_offsets).values(rows)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["consumer_group", "topic", "partition"],
            set_={"next_offset": statement.excluded.next_offset, "updated_at": func.now()},
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
