"""Being a member of a consumer group: the client for it, and leaving."""

import asyncio
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from consumers.connection import KafkaConnection

NEVER_MS = 2**31 - 1
# A fetch this large, and no larger for all partitions together, holds mostly one partition's
# messages in a backlog: so a batch has few providers, and their events fall on the same rows.
FETCH_BYTES = 2 * 1024 * 1024
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


def new_member(connection: KafkaConnection, group: str, policy: GroupPolicy) -> AIOKafkaConsumer:
    """A client that is yet to be started, and then to subscribe."""
    return AIOKafkaConsumer(
        **connection.client_options(),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="none",  # a lost offset is never jumped over in silence
        isolation_level="read_committed",
        session_timeout_ms=int(policy.session * 1000),
        heartbeat_interval_ms=int(policy.session * 1000 / 3),
        rebalance_timeout_ms=int(policy.rebalance * 1000),
        # While the database is away nothing is polled, and the member must stay all the same.
        max_poll_interval_ms=NEVER_MS,
        fetch_max_bytes=FETCH_BYTES,
        max_partition_fetch_bytes=FETCH_BYTES,
    )


async def leave(consumer: AIOKafkaConsumer) -> bool:
    """Leave the group and close the client; False if that failed or took too long.

    In a task of its own: while the broker is away the client's `stop` can end as if cancelled.
    """
    stopping = asyncio.create_task(consumer.stop())
    await asyncio.wait({stopping}, timeout=GOODBYE_SECONDS)
    if not stopping.done():
        stopping.cancel()
        return False
    return not stopping.cancelled() and stopping.exception() is None
