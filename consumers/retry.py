"""Doing again what failed for a reason outside the messages, for as long as it takes."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiokafka import errors as kafka
from aiokafka.errors import KafkaError

from repositories.errors import RepositoryError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

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

    `doing` completes "failed while …" in the log.
    """
    attempt = 0
    while True:
        try:
            return await work()
        except (RepositoryError, KafkaError) as error:
            if not is_transient(error):
                raise
            attempt += 1
            pause = policy.pause(attempt)
            log.warning(
                "failed while %s, trying again: %s", doing, describe(error),
                extra={"attempt": attempt, "pause_seconds": round(pause, 2)},
            )  # fmt: skip
        await asyncio.sleep(pause)


def describe(error: Exception) -> str:
    """An error in one line. A Kafka error by its class alone: its text may quote anything."""
    if isinstance(error, RepositoryError):
        return str(error)
    return f"Kafka, {type(error).__name__}"
