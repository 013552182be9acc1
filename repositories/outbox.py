"""Announcements on their way to Kafka: written with what they announce, published after it.

On the wire each comes at least once, always with the same id, and those of one report in the order
in which they became true. One that Kafka will never take is set aside, and stays for a person.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.postgres.database import Database
from repositories.postgres.notifications import Channel, notify
from repositories.reports.tables import outbox

WAITING = outbox.c.published_at.is_(None) & outbox.c.refused_at.is_(None)
RELAY_LOCK = 0x6F7574626F78  # one relay at a time, in whichever instance


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A CloudEvent to be sent. `topic` is the default name; `outbox_id` is its `ce_id`;
    `traceparent` the place in a trace that it follows."""

    topic: str
    message_key: str
    event_type: str
    occurred_at: datetime
    data: dict[str, Any]
    traceparent: str | None = None
    outbox_id: UUID = field(default_factory=uuid4)


class OutboxDepth(NamedTuple):
    """How many announcements wait, and for how many seconds the oldest has."""

    waiting: int
    oldest_seconds: float


async def announce(connection: AsyncConnection, announcements: Sequence[Announcement]) -> None:
    """Write them in the caller's transaction, which makes them true; the relay wakes up then."""
    if announcements:
        await connection.execute(insert(outbox), [asdict(one) for one in announcements])
        await notify(connection, Channel.OUTBOX)


@asynccontextmanager
async def unpublished(database: Database, limit: int) -> AsyncIterator[Sequence[Announcement]]:
    """The oldest announcements; whoever leaves the block without an error has published them.

    Publish inside the block and wait for the broker's acknowledgement there: an error, or a crash,
    leaves them as they were, to be sent again under the same ids. The block holds a transaction
    open, so give up after some seconds.

    Only one relay has them at a time, since two could turn around those of one report: to the
    others nothing is unpublished.
    """
    columns = [outbox.c[name] for name in Announcement.__dataclass_fields__]
    waiting = select(*columns).where(WAITING)
    oldest = waiting.order_by(outbox.c.seq).limit(limit)
    async with database.transaction() as connection:
        alone = await connection.scalar(select(func.pg_try_advisory_xact_lock(RELAY_LOCK)))
        announcements: Sequence[Announcement] = []
        if alone:
            rows = (await connection.execute(oldest)).mappings()
            announcements = [Announcement(**row) for row in rows]
        yield announcements
        if announcements:
            published = outbox.c.outbox_id.in_([one.outbox_id for one in announcements])
            await connection.execute(
                update(outbox).where(published).values(published_at=func.clock_timestamp())
            )


async def set_aside(database: Database, outbox_id: UUID, refusal: str) -> None:
    """Send it no more, so that it holds up nothing; `refusal` tells a person what is wrong."""
    refused = update(outbox).where(outbox.c.outbox_id == outbox_id, WAITING)
    async with database.transaction() as connection:
        await connection.execute(refused.values(refused_at=func.clock_timestamp(), refusal=refusal))


async def outbox_depth(database: Database) -> OutboxDepth:
    age = func.extract("epoch", func.clock_timestamp() - func.min(outbox.c.created_at))
    waiting = select(func.count(), age).where(WAITING)
    async with database.transaction() as connection:
        count, seconds = (await connection.execute(waiting)).one()
    return OutboxDepth(count, float(seconds or 0))


async def prune_outbox(database: Database, published_for: timedelta) -> int:
    """Forget what was published so long ago; returns how many. What was not is never forgotten."""
    long_ago = outbox.c.published_at < func.clock_timestamp() - published_for
    async with database.transaction() as connection:
        pruned = await connection.execute(delete(outbox).where(long_ago))
    return pruned.rowcount
