"""Orders are given, taken and closed once; pauses hold until they are resumed."""

from uuid import UUID

import pytest
from asyncpg import Connection

from repositories.errors import DatabaseRefused
from repositories.offsets import stored_offset
from repositories.operations.actions import begin_action
from repositories.operations.orders import (
    Skip,
    SkipOrder,
    close_pauses,
    close_skip,
    give_pauses,
    give_skip,
    open_orders,
    skip_state,
    take_skip,
    take_skip_and_move_stored_offset,
    withdraw_skip,
)
from repositories.postgres.database import Database
from repositories.vocabulary import OrderOutcome

SKIP = Skip("group", "topic", 3, from_offset=7, next_offset=9)
ALL = ("a", "b", "c")


@pytest.fixture
async def action(database: Database) -> UUID:
    return await begin_action(database, "who", "offsets", {}, "why")


async def paused(database: Database) -> set[str | None]:
    return {pause.topic for pause in (await open_orders(database)).pauses}


async def test_a_skip_that_somebody_has_taken_can_be_taken_again_and_is_closed_once(
    database: Database, action: UUID
) -> None:
    order = SkipOrder(await give_skip(database, action, SKIP), SKIP)
    assert (await open_orders(database)).skips == [order]
    assert await take_skip(database, order, "one")
    assert not await withdraw_skip(database, order.order_id, "too late")
    assert await take_skip_and_move_stored_offset(database, order, "another")
    assert await stored_offset(database, "group", "topic", 3) == 9
    await close_skip(database, order.order_id, OrderOutcome.DONE, "it goes on")
    await close_skip(database, order.order_id, OrderOutcome.REFUSED, "too late")
    state = await skip_state(database, order.order_id)
    assert (state.taken_by, state.outcome, state.answer) == ("another", "done", "it goes on")
    assert not await take_skip(database, order, "a third")
    assert (await open_orders(database)).skips == []


async def test_of_a_skip_that_is_withdrawn_nobody_moves_an_offset(
    database: Database, action: UUID
) -> None:
    order = SkipOrder(await give_skip(database, action, SKIP), SKIP)
    assert await withdraw_skip(database, order.order_id, "nobody came")
    assert not await take_skip_and_move_stored_offset(database, order, "somebody")
    assert await stored_offset(database, "group", "topic", 3) is None


async def test_a_newer_skip_replaces_an_open_one_of_the_same_partition_alone(
    database: Database, action: UUID
) -> None:
    other = Skip("group", "topic", 4, 7, 9)
    first, elsewhere, second = [await give_skip(database, action, s) for s in (SKIP, other, SKIP)]
    assert {order.order_id for order in (await open_orders(database)).skips} == {elsewhere, second}
    assert (await skip_state(database, first)).outcome is OrderOutcome.WITHDRAWN


async def test_an_order_that_lacks_a_part_is_refused(database: Database, action: UUID) -> None:
    with pytest.raises(DatabaseRefused):
        # What types forbid.
        await give_skip(database, action, Skip("group", "topic", 3, 7, None))  # type: ignore[arg-type]


async def test_topics_are_paused_once_and_resumed(
    database: Database, action: UUID, observer: Connection
) -> None:
    assert await give_pauses(database, action, ["b", "a"]) == ["a", "b"]
    assert await give_pauses(database, action, ["b", "c"]) == ["c"]
    [first, *_] = (await open_orders(database)).pauses
    assert (first.who, first.why) == ("who", "why")
    assert await close_pauses(database, action, ["a", "x"], ALL) == ["a"]
    assert await paused(database) == {"b", "c"}
    assert await close_pauses(database, action, None, ALL) == ["b", "c"]
    assert await paused(database) == set()
    assert await observer.fetchval("SELECT count(*) FROM orders WHERE outcome = 'done'") == 3


async def test_where_all_topics_are_paused_one_can_be_resumed(
    database: Database, action: UUID
) -> None:
    await give_pauses(database, action, ["a", "b"])
    assert await give_pauses(database, action, None) == [None]
    assert await give_pauses(database, action, ["c"]) == []
    assert await close_pauses(database, action, ["b"], ALL) == ["b"]
    assert await paused(database) == {"a", "c"}
