"""Doing again what failed for a reason outside the messages, for as long as it takes."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import errors as kafka
from aiokafka.errors import KafkaError

from consumers.kafka.faults import KafkaFault, KafkaUnreachable
from consumers.supervision.outage import Outage
from consumers.supervision.pulse import beat
from consumers.supervision.watch import LOOK_AT_POSTGRESQL, watched
from consumers.telemetry.retries import count_retry
from repositories.errors import LockNotAvailable, NotAdmitted, RepositoryError

Result = TypeVar("Result")

LOOK_AT_KAFKA = (
    "look whether the brokers are up, and reachable from here"
    " (CLAIM_ANALYTICS_KAFKA_BOOTSTRAP_SERVERS)"
)

# aiokafka marks these as final, because the call that met them has given up; a later call can do.
PASSING = (
    kafka.KafkaTimeoutError,
    kafka.BrokerNotAvailableError,
    kafka.ReplicaNotAvailableError,
    kafka.UnknownError,
    # The group moved on while the call was under way: this member is about to be told.
    kafka.RebalanceInProgressError,
    kafka.IllegalGenerationError,
    kafka.UnknownMemberIdError,
    # The producer that met them is replaced.
    kafka.OutOfOrderSequenceNumber,
    kafka.UnknownProducerId,
    kafka.InvalidProducerEpoch,
    kafka.ProducerFenced,
    kafka.ProducerClosed,
)


@dataclass(frozen=True)
class RetryPolicy:
    """Pauses between attempts, in seconds: growing from `first` to `longest`, with some jitter."""

    first: float = 0.1
    longest: float = 5.0

    def pause(self, attempt: int) -> float:
        """The pause after the `attempt`-th failure, counted from 1."""
        grown = min(self.longest, self.first * 2.0 ** min(attempt - 1, 16))
        return grown * random.uniform(0.75, 1.0)  # noqa: S311  # spreads load, guards nothing


def is_transient(error: Exception) -> bool:
    """Whether the same work can succeed later: each error class says so itself."""
    if isinstance(error, PASSING):
        return True
    return isinstance(error, RepositoryError | KafkaError) and bool(error.retriable)


async def until_it_succeeds(
    work: Callable[[], Awaitable[Result]], doing: str, policy: RetryPolicy
) -> Result:
    """Await `work()` again and again while its failures are transient; others are raised.

    `doing` completes "failed while …" in the log. It also tells what a statement waits for that
    takes long.
    """
    attempt, outage = 0, Outage(doing)
    while True:
        beat()
        try:
            with watched(outage):
                result = await work()
        except (RepositoryError, KafkaError) as error:
            if not is_transient(error):
                raise
            attempt += 1
            pause = policy.pause(attempt)
            tell_failure(outage, error, {"attempt": attempt, "pause_seconds": round(pause, 2)})
        else:
            outage.over()
            return result
        await asyncio.sleep(pause)  # before the next attempt


def tell_failure(
    outage: Outage, error: Exception, extra: Mapping[str, object] | None = None
) -> None:
    """One more failure, as "failed while …, trying again: …"."""
    count_retry(error)
    what = f"failed while {outage.doing}, trying again: {describe(error)}"
    outage.tell(what, remedy(error), kept_out=is_kept_out(error), extra=extra)


def is_kept_out(error: Exception) -> bool:
    """Whether one side refuses the other, until somebody changes a password or a certificate."""
    if isinstance(error, KafkaUnreachable):
        return error.permanent
    return isinstance(error, NotAdmitted)


def remedy(error: Exception) -> str:
    """What a person can do about an error that does not pass."""
    if is_kept_out(error):
        return "look at what the message names"
    if isinstance(error, KafkaError):
        return LOOK_AT_KAFKA
    if isinstance(error, LockNotAvailable):
        return "look in pg_stat_activity for a transaction that does not end, and end it"
    if isinstance(error, RepositoryError):
        return LOOK_AT_POSTGRESQL
    return "look at what the message names"


def describe(error: Exception) -> str:
    """An error in one line. A Kafka error by its class alone, as its text may quote anything,
    unless it is ours."""
    if isinstance(error, RepositoryError | KafkaFault):
        return str(error)
    return f"Kafka, {type(error).__name__}" if isinstance(error, KafkaError) else str(error)


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set, but no longer than this; whether it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
