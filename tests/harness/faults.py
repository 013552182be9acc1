"""A service in the test's own process whose decoders are broken, until they are mended."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from consumers.contracts.refusal import DeadLetter, DeadLetterReason, Record
from consumers.engine.subscription import AnySubscription, Decode
from consumers.topics.claims import CLAIMS
from service.runner import Service
from tests.harness.deployment import Deployment


@dataclass
class Fault:
    """While it lasts, all that comes on these topics (by their default names) becomes a dead
    letter."""

    topics: Sequence[str]
    lasts: bool = True

    def subscription(self, of: AnySubscription) -> AnySubscription:
        return replace(
            of, decoders={name: self._decoder(name, each) for name, each in of.decoders.items()}
        )

    def _decoder(self, name: str, decode: Decode[Any]) -> Decode[Any]:
        def decode_or_not(record: Record) -> Any:
            if self.lasts and name in self.topics:
                return DeadLetter(DeadLetterReason.NOT_JSON, "value: the fault", record)
            return decode(record)

        return decode_or_not


@asynccontextmanager
async def consuming_with(
    deployment: Deployment, fault: Fault, *subscriptions: AnySubscription
) -> AsyncIterator[None]:
    """The consumers of these subscriptions, of claims if none is named."""
    faulty = [fault.subscription(one) for one in subscriptions or (CLAIMS,)]
    service = Service(deployment.settings, faulty)
    running = asyncio.create_task(service.run())
    try:
        yield
    finally:
        service.stop()
        await running
