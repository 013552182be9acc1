"""Replays in the test's own process, and live consumption by decoders that can be faulty."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from consumers.contracts.refusal import DeadLetter, Record
from consumers.engine.subscription import AnySubscription, Decode
from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS
from repositories.postgres.database import Database
from service.operations.replaying.replay import Replay
from service.operations.replaying.request import ReplayRequest, topics_named
from service.operations.replaying.tally import Tally
from service.runner import Service
from tests.harness.deployment import Deployment
from tests.harness.kafka import all_end_offsets
from tests.harness.rows import connected, stored_offsets
from tests.harness.waiting import until_async
from tests.integration.repositories.database_state import Row, dump

Fault = Callable[[list[bytes]], list[bytes]]  # of a line's columns, in the order of the history


async def replayed(
    deployment: Deployment, *topics: str, begin: Any = None, end: Any = None, **asked: Any
) -> Tally:
    """What a replay of these topics, or of all, came to."""
    settings = deployment.settings
    names = topics_named(settings, topics)
    again = Replay.of(settings, ReplayRequest(names, bool(topics), begin, end, **asked))
    database = Database(deployment.database_url, pool_size=8)
    try:
        await again.run(database, await again.find())
    finally:
        await database.close()
    return again.tally


async def consumed(
    deployment: Deployment,
    fault: Fault | None = None,
    *,
    coach: AnySubscription | None = None,
    subscription: AnySubscription = CLAIMS,
) -> None:
    """Consume all that the claims' topics hold now, with a decoder that has this fault."""
    claims = subscription
    if fault:
        decoders = {name: faulty(decode, fault) for name, decode in CLAIMS.decoders.items()}
        claims = replace(CLAIMS, decoders=decoders)
    subscriptions: Sequence[AnySubscription] = [claims, coach] if coach else [claims]
    # One lane: a second would let the first join anew, which takes a second.
    service = Service(deployment.having(claim_lanes=1).settings, subscriptions)
    running = asyncio.create_task(service.run())
    ends = await all_end_offsets(deployment)

    async def done() -> bool:
        return await stored_offsets(deployment, deployment.group) == ends

    try:
        await until_async(done, "all applied")
        if coach:
            await until_async(lambda: _coach_is_done(deployment), "the coach's events applied")
    finally:
        service.stop()
        await running


async def _coach_is_done(deployment: Deployment) -> bool:
    group = deployment.settings.group(AI_SUGGESTIONS.name)
    return sum((await stored_offsets(deployment, group)).values()) > 0


def faulty(decode: Decode[bytes], fault: Fault) -> Decode[bytes]:
    def decoded(record: Record) -> bytes | DeadLetter:
        line = decode(record)
        return line if isinstance(line, DeadLetter) else b"\t".join(fault(line.split(b"\t")))

    return decoded


async def all_rows(deployment: Deployment) -> dict[str, list[Row]]:
    """Every row of every table."""
    async with connected(deployment) as connection:
        return await dump(connection)
