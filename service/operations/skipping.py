"""Going past what nobody can read: a plan that says what it would do, and the order.

The member that holds the partition carries the order out (`service/operations/orders.py`); for a
group without members it is done here, in the same steps: first the stored offset, then Kafka's. If
that is broken off in between, the lower one counts, the partition stands where it stood, and the
order is still open: the next member takes it, or the command, given again, replaces it.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from consumers.engine.offsets import start_offset
from consumers.kafka.groups import GroupState, Place
from consumers.kafka.stops import Stop
from repositories.offsets import stored_offset
from repositories.operations.orders import (
    Skip,
    SkipOrder,
    SkipState,
    close_skip,
    give_skip,
    skip_state,
    take_skip_and_move_stored_offset,
    withdraw_skip,
)
from repositories.operations.stops import known_stops
from repositories.postgres.database import Database
from repositories.vocabulary import OrderOutcome, StopCause
from service.operations.recorded import Action, operator
from service.operations.standing import Kafka
from service.settings import Settings

WAIT_SECONDS = 30.0  # for a member to take an order; it looks every two seconds
POLL_SECONDS = 0.5


class SkipRefused(Exception):
    """Nothing was changed; the message says why, and what to do."""


class WrongOffset(SkipRefused):
    """It is the offset that is wrong."""


class NoSuchPartition(SkipRefused):
    """The topic has no partition of this number."""


@dataclass(frozen=True)
class SkipPlan:
    """What would be done, and why the partition stopped; `alone`: the group has no members."""

    skip: Skip
    stop: Stop
    alone: bool


async def plan_skip(
    kafka: Kafka, database: Database, topics: Mapping[str, str], place: Place, to: int | None
) -> SkipPlan:
    """To go on at `to`, or (None) at the next offset that can be read. Raises SkipRefused.

    That a partition has stopped its member says; where the group has none, this tries to read.
    """
    topic, partition = place
    ends = await kafka.admin.end_offsets([topic])
    if place not in ends:
        raise NoSuchPartition(
            f"{topic} has no partition {partition}: it has {len(ends)}, from 0 to {len(ends) - 1}."
        )
    group, end = topics[topic], ends[place]
    state = await kafka.inspection.group(group)
    if state.members:
        stop = await _stop_by_members(database, group, state, place)
    else:
        stop = await _stop_found_here(kafka, database, group, place, end)
    readable = await kafka.inspection.next_readable(place, stop.next, end)
    go_on_at = readable if to is None else to
    if go_on_at <= stop.next:
        raise WrongOffset(f"It stands at offset {stop.next}; a skip goes on at a higher one.")
    if go_on_at > end:
        raise WrongOffset(f"Its end is offset {end}; a skip goes no further than that.")
    if go_on_at < readable or (
        readable < go_on_at < end and await kafka.inspection.stop_at(place, go_on_at)
    ):
        raise WrongOffset(
            f"Offset {go_on_at} cannot be read either: a record that cannot be decoded takes the"
            f" rest of its record batch with it. The first that can be read is {readable}"
            " (`--to next`)."
        )
    return SkipPlan(Skip(group, *place, stop.next, go_on_at), stop, alone=not state.members)


async def _stop_by_members(database: Database, group: str, state: GroupState, place: Place) -> Stop:
    if place not in state.holders:
        raise SkipRefused(
            f"No member of {group} has the partition at the moment (the group is {state.state}):"
            " try again in some seconds, and look at `claim-analytics offsets show`."
        )
    said = [one for one in await known_stops(database, [group]) if one.stop.place[1:] == place]
    stops = [one.stop for one in said if one.confirmed]
    if not stops:
        raise SkipRefused(
            f"The partition has not stopped: {state.holders[place].client_id} reads it. Nothing"
            " was changed. (If it began to read a moment ago, try again in some seconds.)"
        )
    [stop] = stops
    if stop.cause is StopCause.BRAKE:
        raise SkipRefused(
            f"The brake stopped it, and no skip lets it go on: {stop.why}"
            " See 'The brake' in docs/operations.md."
        )
    return Stop(stop.cause, stop.next_offset, stop.why)


async def _stop_found_here(
    kafka: Kafka, database: Database, group: str, place: Place, end: int
) -> Stop:
    committed = (await kafka.admin.committed(group)).get(place)
    stored = await stored_offset(database, group, *place)
    if committed is None and stored is None:
        raise SkipRefused(f"{group} has never read this partition, and has no members.")
    first = (await kafka.inspection.first_offsets([place]))[place]
    stands_at = start_offset(committed, stored, first)
    if stands_at > end:
        raise WrongOffset(
            f"It stands at offset {stands_at}, beyond its end, {end}: there is nothing to skip."
            " See 'Resetting offsets' in docs/operations.md."
        )
    stop = None if stands_at == end else await kafka.inspection.stop_at(place, stands_at)
    if stop is None:
        raise SkipRefused(
            f"The partition has not stopped: what stands at offset {stands_at} can be read, and"
            f" {group} has no members, so it goes on there as soon as one starts. Nothing was"
            " changed."
        )
    return stop


async def carry_out(
    settings: Settings, kafka: Kafka, database: Database, plan: SkipPlan, action: Action
) -> SkipState:
    """Give the order, and wait until it has ended. Raises SkipRefused if nobody takes it."""
    order = SkipOrder(await give_skip(database, action.action_id, plan.skip), plan.skip)
    try:
        state = await _ended(settings, kafka, database, order)
    except BaseException:  # Ctrl-C too: the order is taken back; raised on
        why = "the command that gave it was broken off"
        await asyncio.shield(withdraw_skip(database, order.order_id, why))
        raise
    if state.outcome is None:
        if await withdraw_skip(database, order.order_id, "nobody took it in time"):
            raise SkipRefused(
                f"No member took the order within {WAIT_SECONDS:.0f} seconds; it is withdrawn, and"
                " nothing was changed. Is an instance running, and is its database this one?"
            )
        raise SkipRefused(
            f"{state.taken_by or 'A member'} has begun and not ended within {WAIT_SECONDS:.0f}"
            " seconds; the order stays open. Look at `claim-analytics offsets show`."
        )
    return state


async def _ended(
    settings: Settings, kafka: Kafka, database: Database, order: SkipOrder
) -> SkipState:
    """Its state once it has ended, or after some time. While the group has no members the order is
    carried out here: a member that had the partition may have ended meanwhile."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        if not (await kafka.inspection.group(order.skip.group)).members:
            await _move_both_offsets(settings, kafka, database, order)
        state = await skip_state(database, order.order_id)
        if state.outcome or time.monotonic() > deadline:
            return state
        await asyncio.sleep(POLL_SECONDS)  # a poll: the member answers in the database


async def _move_both_offsets(
    settings: Settings, kafka: Kafka, database: Database, order: SkipOrder
) -> None:
    """If a member has come in between, it takes the order."""
    skip = order.skip
    if await take_skip_and_move_stored_offset(database, order, operator(settings)):
        place = (skip.topic, skip.partition)
        if await kafka.inspection.commit_for(skip.group, place, skip.next_offset):
            answer = f"it goes on at offset {skip.next_offset}"
            await close_skip(database, order.order_id, OrderOutcome.DONE, answer)
