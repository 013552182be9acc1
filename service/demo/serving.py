"""The service at work in the demo's own event loop, for as long as a block lasts.

In the same process, so that the view shows the service's own counters as they are.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.demo.first_of import cancelled, first_of
from service.runner import Service

POLL_SECONDS = 0.05
STOP_SECONDS = 10.0  # more than the service itself takes when nobody answers


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[asyncio.Task[None]]:
    """Yields when the service consumes; at the end it finishes the batch at hand and stops.

    Raises what the service raises when it cannot go on.
    """
    running = asyncio.create_task(service.run())
    try:
        await first_of(_consumes(service), end_of(running))
        yield running
    finally:
        service.stop()
        await asyncio.wait({running}, timeout=STOP_SECONDS)
        await cancelled(running)  # if it has not ended, its servers are gone
    await running


async def end_of(running: asyncio.Task[None]) -> None:
    """Ends with the service, and with its error; but does not take it along when cancelled."""
    await asyncio.shield(running)


async def _consumes(service: Service) -> None:
    """Until every consumer has partitions: it commits a first offset even where they are empty.

    From then on the group's offsets can be asked for, which a new broker must first prepare.
    """
    while not all(p.batches for p in service.progress.values()):  # noqa: ASYNC110  # nobody tells
        await asyncio.sleep(POLL_SECONDS)
