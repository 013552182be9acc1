"""Being a member of a consumer group: the client for it, and leaving."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from consumers.kafka.connection import KafkaConnection, start
from consumers.kafka.reach import reachable

NEVER_MS = 2**31 - 1
# Of all partitions together. A reader takes one partition after the other, so little is kept.
FETCH_BYTES = 4 * 1024 * 1024
PARTITION_FETCH_BYTES = 2 * 1024 * 1024
FETCH_WAIT_MS = 100  # a fetch that waits for news leaves out what was drained since it was sent
# Some ten events. A fetch that returns with one costs both sides as much as one with many.
FETCH_LEAST_BYTES = 8 * 1024
HEARTBEAT_MS = 1_000  # at most; a member hears of a rebalance with its next heartbeat
GOODBYE_SECONDS = 3


@dataclass(frozen=True)
class GroupPolicy:
    """Membership of a consumer group, in seconds.

    A member that dies is missed after `session`; one that is alive may take up to `rebalance` to
    finish its batch when partitions move, and up to `shutdown` when it is told to stop.
    """

    session: float = 10.0
    rebalance: float = 60.0
    shutdown: float = 20.0


async def new_member(
    connection: KafkaConnection, group: str, policy: GroupPolicy
) -> AIOKafkaConsumer:
    """A client that is connected, and yet to subscribe. Raises KafkaUnreachable."""
    member = AIOKafkaConsumer(
        **(await reachable(connection)).client_options(),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",  # a lost offset is never jumped over in silence
        isolation_level="read_committed",
        session_timeout_ms=int(policy.session * 1000),
        heartbeat_interval_ms=min(HEARTBEAT_MS, int(policy.session * 1000 / 3)),
        rebalance_timeout_ms=int(policy.rebalance * 1000),
        # While the database is away nothing is polled, and the member must stay all the same.
        max_poll_interval_ms=NEVER_MS,
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        fetch_max_wait_ms=FETCH_WAIT_MS,
        fetch_min_bytes=FETCH_LEAST_BYTES,
        # The same partition numbers of every topic, where the topics have as many.
        partition_assignment_strategy=(RangePartitionAssignor,),
    )
    async with AsyncExitStack() as on_failure:
        on_failure.push_async_callback(leave, member)
        await start(member)
        on_failure.pop_all()
    return member


async def leave(consumer: AIOKafkaConsumer) -> bool:
    """Leave the group and close the client; False if that failed or took too long.

    In a task of its own: while the broker is away the client's `stop` can end as if cancelled.
    """
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping}, timeout=GOODBYE_SECONDS)
    if stopping.done() and not stopping.cancelled() and stopping.exception() is None:
        return True
    stopping.cancel()
    # `stop` closes its connections last, so they may all be open still.
    closing = asyncio.create_task(consumer._client.close())  # noqa: SLF001  # it has no other way
    await asyncio.wait({closing}, timeout=GOODBYE_SECONDS)
    closing.cancel()
    return False
