"""What operators order the members of consumer groups to do, on whichever instance they are.

A skip is taken by whoever carries it out, and then closed; one that was taken and not closed was
broken off, and is taken again. A pause stays open until it is resumed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from repositories.operations.tables import operator_actions, orders
from repositories.postgres.database import Database
from repositories.tables import consumer_offsets
from repositories.vocabulary import OrderKind, OrderOutcome

OPEN = orders.c.closed_at.is_(None)
PAUSES = orders.c.kind == OrderKind.PAUSE


@dataclass(frozen=True)
class Skip:
    """Go on at `next_offset`, in a partition that stands at `from_offset`."""

    group: str
    topic: str
    partition: int
    from_offset: int
    next_offset: int

    @property
    def records(self) -> int:
        """How many are passed over, at most: there can be gaps between offsets."""
        return self.next_offset - self.from_offset


@dataclass(frozen=True)
class SkipOrder:
    """A skip that is open."""

    order_id: UUID
    skip: Skip


@dataclass(frozen=True)
class Pause:
    """A pause that is open; `topic` None stands for all topics."""

    topic: str | None
    ordered_at: datetime
    who: str
    why: str | None


@dataclass(frozen=True)
class OpenOrders:
    """All that is to be done, or held, now."""

    skips: Sequence[SkipOrder] = ()
    pauses: Sequence[Pause] = ()


@dataclass(frozen=True)
class SkipState:
    """How far a skip is: nobody has it, somebody has begun, or it has ended with an `outcome`."""

    taken_by: str | None
    outcome: OrderOutcome | None
    answer: str | None


async def open_orders(database: Database) -> OpenOrders:
    """Cheap, for it is asked every few seconds: a look into an index that is mostly empty."""
    ordered = (
        sa.select(orders, operator_actions.c.who, operator_actions.c.why)
        .join(operator_actions, operator_actions.c.action_id == orders.c.action_id)
        .where(OPEN)
        .order_by(orders.c.ordered_at, orders.c.order_id)
    )
    async with database.snapshot() as connection:
        rows = (await connection.execute(ordered)).all()
    return OpenOrders(
        [
            SkipOrder(
                row.order_id,
                Skip(
                    row.consumer_group, row.topic, row.partition, row.from_offset, row.next_offset
                ),
            )
            for row in rows
            if row.kind == OrderKind.SKIP
        ],
        [
            Pause(row.topic, row.ordered_at, row.who, row.why)
            for row in rows
            if row.kind == OrderKind.PAUSE
        ],
    )


async def give_skip(database: Database, action_id: UUID, skip: Skip) -> UUID:
    """Order it; the order's id. It replaces one for the same partition that is still open."""
    values = {
        "kind": OrderKind.SKIP,
        "action_id": action_id,
        "consumer_group": skip.group,
        "topic": skip.topic,
        "partition": skip.partition,
        "from_offset": skip.from_offset,
        "next_offset": skip.next_offset,
    }
    same = (
        orders.c.consumer_group == skip.group,
        orders.c.topic == skip.topic,
        orders.c.partition == skip.partition,
    )
    async with database.transaction() as connection:
        await connection.execute(
            orders.update()
            .where(OPEN, *same)
            .values(_closed(OrderOutcome.WITHDRAWN, "a newer order for the partition replaced it"))
        )
        given = orders.insert().values(values).returning(orders.c.order_id)
        order_id: UUID = (await connection.execute(given)).scalar_one()
    return order_id


async def take_skip(database: Database, order: SkipOrder, taken_by: str) -> bool:
    """Note that somebody begins with it; False if it is closed already."""
    async with database.transaction() as connection:
        return await _take(connection, order.order_id, taken_by)


async def take_skip_and_move_stored_offset(
    database: Database, order: SkipOrder, taken_by: str
) -> bool:
    """For a group without members: the first half of what its member would do. An offset that is
    further already, because a member came and went meanwhile, is left."""
    skip = order.skip
    moved = insert(consumer_offsets).values(
        consumer_group=skip.group,
        topic=skip.topic,
        partition=skip.partition,
        next_offset=skip.next_offset,
    )
    async with database.transaction() as connection:
        if not await _take(connection, order.order_id, taken_by):
            return False
        await connection.execute(
            moved.on_conflict_do_update(
                index_elements=["consumer_group", "topic", "partition"],
                set_={
                    "next_offset": sa.func.greatest(
                        consumer_offsets.c.next_offset, moved.excluded.next_offset
                    ),
                    "updated_at": sa.func.now(),
                },
            )
        )
    return True


async def _take(connection: AsyncConnection, order_id: UUID, taken_by: str) -> bool:
    taken = orders.update().where(orders.c.order_id == order_id, OPEN).values(taken_by=taken_by)
    return (await connection.execute(taken)).rowcount == 1


async def close_skip(
    database: Database, order_id: UUID, outcome: OrderOutcome, answer: str
) -> None:
    """End it, once."""
    async with database.transaction() as connection:
        await connection.execute(
            orders.update()
            .where(orders.c.order_id == order_id, OPEN)
            .values(_closed(outcome, answer))
        )


async def withdraw_skip(database: Database, order_id: UUID, why: str) -> bool:
    """End an order that nobody has taken; False if somebody has, or it has ended."""
    async with database.transaction() as connection:
        withdrawn = await connection.execute(
            orders.update()
            .where(orders.c.order_id == order_id, OPEN, orders.c.taken_by.is_(None))
            .values(_closed(OrderOutcome.WITHDRAWN, why))
        )
    return withdrawn.rowcount == 1


async def skip_state(database: Database, order_id: UUID) -> SkipState:
    async with database.snapshot() as connection:
        found = sa.select(orders).where(orders.c.order_id == order_id)
        row = (await connection.execute(found)).one()
    return SkipState(row.taken_by, row.outcome, row.answer)


async def give_pauses(
    database: Database, action_id: UUID, topics: Collection[str] | None
) -> list[str | None]:
    """Pause these topics, or all (None); those of them that were not paused yet."""
    async with database.transaction() as connection:
        paused = await _paused(connection)
        asked: list[str | None] = [None] if topics is None else [*sorted(topics)]
        new = [] if None in paused else [topic for topic in asked if topic not in paused]
        await _pause(connection, action_id, new)
    return new


async def close_pauses(
    database: Database, action_id: UUID, topics: Collection[str] | None, of_all: Collection[str]
) -> list[str | None]:
    """Let these topics, or all (None), go on; those of them that were paused.

    Where one order pauses all topics, it is replaced by one for each of the others `of_all`.
    """
    async with database.transaction() as connection:
        paused = await _paused(connection)
        if topics is None:
            resumed = closed = paused
        elif None in paused:
            await _pause(connection, action_id, sorted({*of_all} - {*topics}))
            resumed, closed = {*topics}, paused.intersection([*topics, None])
        else:
            resumed = closed = paused.intersection(topics)
        names = [topic or "" for topic in closed]
        await connection.execute(
            orders.update()
            .where(OPEN, PAUSES, sa.func.coalesce(orders.c.topic, "").in_(names))
            .values(_closed(OrderOutcome.DONE, "reading goes on"))
        )
    return sorted(resumed, key=lambda topic: topic or "")


async def _paused(connection: AsyncConnection) -> set[str | None]:
    """What is paused now; locked, so that two operators do not cross."""
    found = sa.select(orders.c.topic).where(OPEN, PAUSES).order_by(orders.c.order_id)
    return set((await connection.scalars(found.with_for_update())).all())


async def _pause(
    connection: AsyncConnection, action_id: UUID, topics: Sequence[str | None]
) -> None:
    if topics:
        rows = [
            {"kind": OrderKind.PAUSE, "action_id": action_id, "topic": topic} for topic in topics
        ]
        await connection.execute(orders.insert(), rows)


def _closed(outcome: OrderOutcome, answer: str) -> dict[str, object]:
    return {"closed_at": sa.func.now(), "outcome": outcome, "answer": answer}
