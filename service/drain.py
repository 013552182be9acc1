"""Waiting until consumer groups have committed all that was in their topics."""

import asyncio
from collections.abc import Mapping, Sequence

from consumers.engine.orders import Orders
from consumers.engine.retry import RetryPolicy, until_it_succeeds
from consumers.engine.subscription import Progress
from repositories.offsets import stored_offsets
from repositories.postgres.database import Database
from service.kafka import KafkaAdmin, Positions

POLL_SECONDS = 0.2


class DrainFailed(Exception):
    """A partition stopped, or is paused, so what it holds cannot be drained."""


async def wait_until_drained(
    admin: KafkaAdmin,
    database: Database,
    ends_by_group: Mapping[str, Positions],
    progress: Mapping[str, Progress],
    orders: Orders,
) -> None:
    """Return when every group has committed up to these offsets, whoever did it.

    To Kafka and to the database: after the latter is restored from a backup it is behind. Positions
    are compared, not messages: control records have offsets too. Raises DrainFailed if a partition
    stopped, or if all that is left is paused.
    """
    paused: set[str] = set()
    for group, ends in ends_by_group.items():
        while left := await _left(admin, database, group, ends):
            _check(progress)
            if all(orders.pauses(topic) for topic in left):
                paused |= left
                break
            # A poll: Kafka tells nobody that offsets were committed.
            await asyncio.sleep(POLL_SECONDS)
    if paused:
        raise DrainFailed(
            f"cannot drain: {', '.join(sorted(paused))} paused by an operator's order, and not read"
            " to the end. `claim-analytics offsets show` says whose; `claim-analytics offsets"
            " resume` lets reading go on"
        )


async def _left(admin: KafkaAdmin, database: Database, group: str, ends: Positions) -> set[str]:
    """The topics that the group has not committed up to these offsets."""

    async def committed() -> Sequence[Positions]:
        return await admin.committed(group), await stored_offsets(database, group)

    both = await until_it_succeeds(committed, "asking how far the drain is", RetryPolicy())
    return {where[0] for where, end in ends.items() for one in both if one.get(where, -1) < end}


def _check(progress: Mapping[str, Progress]) -> None:
    stopped = [stop.why for consumer in progress.values() for stop in consumer.stopped.values()]
    if stopped:
        raise DrainFailed("cannot drain: " + " ".join(stopped))
