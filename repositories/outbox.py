"""Announcements on their way to Kafka: written with what they announce, published after it.

On the wire each comes at least once, always with the same id, and those of one report in the order
in which they became true.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.database import Database
from repositories.tables import outbox

RELAY_LOCK = 0x6F7574626F78  # one relay at a time, in whichever instance


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A CloudEvent to be sent. `topic` is the default name; `outbox_id` is its `ce_id`."""

    topic: str
    message_key: str
    event_type: str
    occurred_at: datetime
    data: dict[str, Any]
    outbox_id: UUID = field(default_factory=uuid4)


class OutboxDepth(NamedTuple):
    """How many announcements wait, and for how many seconds the oldest has."""

    waiting: int
    oldest_seconds: float


async def announce(connection: AsyncConnection, announcements: Sequence[Announcement]) -> None:
    """Write them in the caller's transaction, which makes them true."""
    if announcements:
        await connection.execute(insert(outbox), [asdict(one) for one in announcements])


@asynccontextmanager
async def unpublished(database: Database, limit: int) -> AsyncIterator[Sequence[Announcement]]:
    """The oldest announcements; whoever leaves the block without an error has published them.

    Publish inside the block and wait for the broker's acknowledgement there: an error, or a crash,
    leaves them as they were, to be sent again under the same ids. The block holds a transaction
    open, so give up after some seconds.

    Only one relay has them at a time, since two could turn around those of one report: to the
    others nothing is unpublished.
    """
    async with database.transaction() as connection:
        alone = await connection.scalar(select(func.pg_try_advisory_xact_lock(RELAY_LOCK)))
        announcements = await _oldest(connection, limit) if alone else []
        yield announcements
        await _mark_published(connection, announcements)


async def _oldest(connection: AsyncConnection, limit: int) -> Sequence[Announcement]:
    columns = [outbox.c[name] for name in Announcement.__dataclass_fields__]
    waiting = select(*columns).where(outbox.c.published_at.is_(None))
    rows = await connection.execute(waiting.order_by(outbox.c.seq).limit(limit))
    return [Announcement(**row) for row in rows.mappings()]


async def _mark_published(
    connection: AsyncConnection, announcements: Sequence[Announcement]
) -> None:
    if announcements:
        published = outbox.c.outbox_id.in_([one.outbox_id for one in announcements])
        await connection.execute(
            update(outbox).where(published).values(published_at=func.clock_timestamp())
        )


async def outbox_depth(database: Database) -> OutboxDepth:
    age = func.extract("epoch", func.clock_timestamp() - func.min(outbox.c.created_at))
    waiting = select(func.count(), age).where(outbox.c.published_at.is_(None))
    async with database.transaction() as connection:
        count, seconds = (await connection.execute(waiting)).one()
    return OutboxDepth(count, float(seconds or 0))


async def prune_outbox(database: Database, published_before: datetime) -> int:
    """Forget what was published before then; returns how many. What waits is never forgotten."""
    async with database.transaction() as connection:
        pruned = await connection.execute(
            delete(outbox).where(outbox.c.published_at < published_before)
        )
    return pruned.rowcount
