"""Operators' orders, as an instance learns of them, and what it tells of stopped partitions."""

import asyncio
import logging
import time
from collections.abc import Iterator, Mapping, Sequence

from consumers.engine.orders import Orders, SkipTo
from consumers.engine.subscription import Progress
from repositories.operations.orders import (
    Pause,
    SkipOrder,
    close_skip,
    open_orders,
    take_skip,
)
from repositories.operations.stops import (
    KnownStop,
    Place,
    StoppedPartition,
    known_stops,
    tell_stops,
)
from repositories.postgres.database import Database
from repositories.vocabulary import OrderOutcome, StopCause
from service.jobs import every
from service.logs import INSTANCE

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
CONFIRM_SECONDS = 10.0  # at least twice in `repositories.operations.stops.CONFIRMED_SECONDS`
REMIND_SECONDS = 60.0
LOOKING = "looking for operators' orders"


class OrdersJob:
    """Looks for orders every two seconds, once for all consumers of the process.

    A pause it tells them of; a skip it takes if it is for a partition that one of them has stopped,
    and closes once both offsets have moved. While the database is away what was known last counts.
    """

    def __init__(self, orders: Orders, progress: Mapping[str, Progress]) -> None:
        """`progress` is by consumer group."""
        self._orders = orders
        self._progress = progress
        self._told: dict[Place, StoppedPartition] = {}
        self._confirm_at = 0.0
        self._remind_at = 0.0

    async def __call__(self, database: Database, stop: asyncio.Event) -> None:
        await every(LOOK_SECONDS, lambda: self._look(database), stop, doing=LOOKING)

    async def _look(self, database: Database) -> None:
        found = await open_orders(database)
        self._pause(found.pauses)
        mine = [order for order in found.skips if order.skip.group in self._progress]
        held = {
            (skip.topic, skip.partition)
            for skip in (order.skip for order in mine)
            if (skip.topic, skip.partition) in self._progress[skip.group].assigned
        }
        for at in self._orders.skips.keys() - held:  # no reader here comes to it any more
            del self._orders.skips[at]
        for order in mine:
            await self._attend(database, order)
        self._orders.known.set()
        await self._tell_stops(database)

    def _pause(self, pauses: Sequence[Pause]) -> None:
        """Told at once, and again every minute, as nothing else shows that it is meant so."""
        orders = self._orders
        before = orders.all_paused, orders.paused
        orders.all_paused = any(pause.topic is None for pause in pauses)
        orders.paused = frozenset(pause.topic for pause in pauses if pause.topic is not None)
        now = time.monotonic()
        if (orders.all_paused, orders.paused) != before or (pauses and now >= self._remind_at):
            self._remind_at = now + REMIND_SECONDS
            names = ["all topics"] if orders.all_paused else sorted(orders.paused)
            if names:
                log.info("paused by an operator's order: nothing is read of %s", ", ".join(names))
            else:
                log.info("no topic is paused any more: reading goes on")

    async def _attend(self, database: Database, order: SkipOrder) -> None:
        """Of an order for a partition that is held elsewhere nothing is to be done here."""
        skip, progress = order.skip, self._progress[order.skip.group]
        at = (skip.topic, skip.partition)
        if at not in progress.assigned or at in self._orders.skips:
            return
        if progress.committed.get(at, -1) >= skip.next_offset:
            answer = f"it goes on at offset {skip.next_offset}"
            await close_skip(database, order.order_id, OrderOutcome.DONE, answer)
        elif stop := progress.stopped.get(at):
            if stop.cause is StopCause.BRAKE:
                answer = "it was stopped by the brake, and no skip lets it go on"
                await close_skip(database, order.order_id, OrderOutcome.REFUSED, answer)
            elif stop.next != skip.from_offset:
                answer = f"it stands at offset {stop.next} now, not at {skip.from_offset}"
                await close_skip(database, order.order_id, OrderOutcome.REFUSED, answer)
            elif await take_skip(database, order, INSTANCE):
                self._orders.skips[at] = SkipTo(skip.from_offset, skip.next_offset)

    async def _tell_stops(self, database: Database) -> None:
        """Which partitions have stopped here, when that changes and every ten seconds; and that a
        row of former times about one that is read here is no longer true."""
        stopped = {one.place: one for one in self._stopped()}
        now = time.monotonic()
        if stopped == self._told and now < self._confirm_at:
            return
        known = await known_stops(database, sorted(self._progress))
        read_on = {one.stop.place for one in known if self._is_read(one.stop.place)}
        for one in known:
            self._note_since(one)
        if stopped or read_on:
            await tell_stops(database, INSTANCE, list(stopped.values()), read_on)
        self._told = stopped
        self._confirm_at = now + CONFIRM_SECONDS

    def _note_since(self, known: KnownStop) -> None:
        """For how far a partition is behind, where an instance before this one had stopped it."""
        group, *at = known.stop.place
        progress, where = self._progress[group], tuple(at)
        stop = progress.stopped.get(where)
        if stop and stop.next == known.stop.next_offset:
            progress.lags.stopped_since(where, known.stopped_at.timestamp())

    def _stopped(self) -> Iterator[StoppedPartition]:
        for group, progress in self._progress.items():
            for at, stop in progress.stopped.items():
                if at in progress.assigned:
                    yield StoppedPartition(
                        group, at.topic, at.partition, stop.next, stop.cause, stop.why
                    )

    def _is_read(self, place: Place) -> bool:
        group, *at = place
        progress, where = self._progress[group], tuple(at)
        return (
            where in progress.assigned
            and where in progress.committed
            and where not in progress.stopped
        )
