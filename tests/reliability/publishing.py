"""Publishing that goes on while something else happens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.harness.deployment import Deployment
from tests.harness.kafka import producer, send
from tests.harness.messages import Load

STEPS = 100


@asynccontextmanager
async def published_meanwhile(
    deployment: Deployment, load: Load, seconds: float
) -> AsyncIterator[None]:
    """Publish the load little by little beside the block; at its end all is published."""
    publishing = asyncio.create_task(_publish(deployment, load, seconds / STEPS))
    try:
        yield
        await publishing
    finally:
        publishing.cancel()


async def _publish(deployment: Deployment, load: Load, pause: float) -> None:
    size = len(load.messages) // STEPS + 1
    async with producer(deployment) as client:
        for start in range(0, len(load.messages), size):
            await send(client, load.messages[start : start + size])
            await asyncio.sleep(pause)  # so that messages arrive meanwhile
