"""What waits in the database for an instance, or for a person."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.claims.fill import count_behind
from repositories.operations.tables import dead_letters, orders
from repositories.outbox import WAITING
from repositories.reports.tables import outbox
from repositories.tables import lists_due
from repositories.vocabulary import LetterState, OrderKind

LATE = timedelta(minutes=5)


@dataclass(frozen=True)
class Waiting:
    """Dead letters that nobody has done anything about, by topic; providers whose figures are to be
    filled; months whose lists are behind; topics that operators have paused, None: all of them;
    announcements that have waited for more than five minutes, and those that Kafka refused."""

    open_letters: dict[str, int]
    providers_behind: int
    lists_behind: int
    paused: Sequence[str | None]
    late_announcements: int
    refused_announcements: int


async def what_waits(connection: AsyncConnection) -> Waiting:
    is_open = dead_letters.c.state == LetterState.OPEN
    topic = dead_letters.c.source_topic
    letters = sa.select(topic, sa.func.count()).where(is_open).group_by(topic).order_by(topic)
    paused = sa.select(orders.c.topic).where(
        orders.c.kind == OrderKind.PAUSE, orders.c.closed_at.is_(None)
    )
    late = sa.and_(WAITING, outbox.c.created_at < sa.func.now() - LATE)
    return Waiting(
        open_letters=dict((await connection.execute(letters)).all()),
        providers_behind=await count_behind(connection),
        lists_behind=await _count(connection, lists_due),
        paused=(await connection.scalars(paused.order_by(orders.c.topic))).all(),
        late_announcements=await _count(connection, outbox, late),
        refused_announcements=await _count(connection, outbox, outbox.c.refused_at.is_not(None)),
    )


async def _count(
    connection: AsyncConnection, table: sa.Table, *where: sa.ColumnElement[bool]
) -> int:
    count = sa.select(sa.func.count()).select_from(table).where(*where)
    return int(await connection.scalar(count) or 0)
