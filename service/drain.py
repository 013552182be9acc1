"""Waiting until consumer groups have committed all that was in their topics."""

import asyncio
from collections.abc import Mapping, Sequence

from consumers.engine.retry import RetryPolicy, until_it_succeeds
from consumers.engine.subscription import Progress
from repositories.offsets import stored_offsets
from repositories.postgres.database import Database
from service.kafka import KafkaAdmin, Positions

POLL_SECONDS = 0.2


class DrainFailed(Exception):
    """A partition stopped, so what it holds cannot be drained."""


async def wait_until_drained(
    admin: KafkaAdmin,
    database: Database,
    ends_by_group: Mapping[str, Positions],
    progress: Mapping[str, Progress],
) -> None:
    """Return when every group has committed up to these offsets, whoever did it.

    To Kafka and to the database: after the latter is restored from a backup it is behind. Positions
    are compared, not messages: control records have offsets too. Raises DrainFailed.
    """
    for group, ends in ends_by_group.items():
        while not await _reached(admin, database, group, ends):
            _check(progress)
            await asyncio.sleep(POLL_SECONDS)


async def _reached(admin: KafkaAdmin, database: Database, group: str, ends: Positions) -> bool:
    async def committed() -> Sequence[Positions]:
        return await admin.committed(group), await stored_offsets(database, group)

    both = await until_it_succeeds(committed, "asking how far the drain is", RetryPolicy())
    return all(found.get(where, -1) >= end for found in both for where, end in ends.items())


def _check(progress: Mapping[str, Progress]) -> None:
    stopped = [why for consumer in progress.values() for why in consumer.stopped.values()]
    if stopped:
        raise DrainFailed("cannot drain: " + " ".join(stopped))
