"""Waiting until consumer groups have committed all that was in their topics."""

import asyncio
from collections.abc import Mapping

from consumers.progress import Progress
from service.kafka import KafkaAdmin, Positions

POLL_SECONDS = 0.2


class DrainFailed(Exception):
    """A partition stopped, so what it holds cannot be drained."""


async def wait_until_drained(
    admin: KafkaAdmin, ends_by_group: Mapping[str, Positions], progress: Mapping[str, Progress]
) -> None:
    """Return when every group has committed up to these offsets, whoever did it.

    Positions are compared, not messages: control records have offsets too. Raises DrainFailed.
    """
    for group, ends in ends_by_group.items():
        while not _reached(await admin.committed(group), ends):
            _check(progress)
            await asyncio.sleep(POLL_SECONDS)


def _reached(committed: Positions, ends: Positions) -> bool:
    return all(committed.get(partition, 0) >= end for partition, end in ends.items())


def _check(progress: Mapping[str, Progress]) -> None:
    stopped = [why for consumer in progress.values() for why in consumer.stopped.values()]
    if stopped:
        raise DrainFailed("cannot drain: " + " ".join(stopped))
