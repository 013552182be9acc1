"""`claim-analytics`, killed by its own hand at a named step: `python crash_points.py POINT …`.

The service has no hooks for this: the function of the step is replaced, in this process alone, by
one that does the same and sends SIGKILL before or after.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from enum import StrEnum
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any

from consumers.engine import applier
from consumers.topics import claims
from consumers.topics import report_requests as requests
from repositories.claims.batch import Merged, apply_claim_batch
from repositories.operations.letter_states import mark_redriven
from repositories.operations.letters import store_copies
from repositories.outbox import Announcement
from repositories.reports.jobs import claim_job
from repositories.reports.outcomes import finish_job
from repositories.reports.requests import record_requests
from service.kafka import Publisher
from service.operations import redrive
from service.reports import cleanup, relay, worker
from service.reports.documents import render
from service.reports.relay import _publish as send
from service.settings import Settings

Function = Callable[..., Awaitable[Any]]
A_PART_OF_IT = bytes(12 * 1024 * 1024)  # more than the store holds back before it writes


class Point(StrEnum):
    """Where the process dies."""

    AFTER_THE_ROW = "after-the-row"  # the request's row is committed, Kafka's offset is not
    AFTER_THE_CLAIM = "after-the-claim"  # a worker has the lease, and has done nothing
    IN_THE_FILE = "in-the-file"  # a part of the file is written
    BEFORE_READINESS = "before-readiness"  # the file is complete, the row does not say so
    AFTER_READINESS = "after-readiness"  # the row says so, the worker does not know
    BEFORE_SENDING = "before-sending"  # the relay has the announcement in hand
    AFTER_SENDING = "after-sending"  # the broker has it, the outbox does not say so
    BEFORE_EXPIRY = "before-expiry"  # the file is deleted, the row does not say so
    BEFORE_THE_MARK = "before-the-mark"  # a redrive's copies are acknowledged, no letter says so
    AFTER_THE_MARK = "after-the-mark"  # the letters say so, the command does not know
    AFTER_THE_BATCH = "after-the-batch"  # a batch of messages is committed, and nothing sent
    BEFORE_THE_PLACES = "before-the-places"  # dead letters are sent, their rows do not say where
    AFTER_THE_PLACES = "after-the-places"  # the rows say so, Kafka's offset is not committed


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _dying(*_: Any, **__: Any) -> None:
    die()


def after(function: Function) -> Function:
    """Dies once the function has come to something: workers look for jobs in vain, too."""

    async def dying(*arguments: Any, **named: Any) -> Any:
        result = await function(*arguments, **named)
        if result:
            die()
        return result

    return dying


def once_done(function: Function) -> Function:
    """Dies after the function, whatever it comes to."""

    async def dying(*arguments: Any, **named: Any) -> None:
        await function(*arguments, **named)
        die()

    return dying


async def _killed_after_the_batch(*arguments: Any) -> Merged:
    """Batches without a message go through: they only store where a partition begins."""
    merged = await apply_claim_batch(*arguments)
    if arguments[-1].read:
        die()
    return merged


async def _killed_in_the_file(*arguments: Any) -> AsyncIterator[bytes]:
    async with aclosing(render(*arguments)) as rendered:
        async for piece in rendered:
            yield piece
            yield A_PART_OF_IT
            die()


async def _killed_before_sending(
    _: Publisher, __: Settings, announcements: Sequence[Announcement]
) -> None:
    if announcements:
        die()


async def _killed_after_sending(
    publishing: Publisher, settings: Settings, announcements: Sequence[Announcement]
) -> None:
    await send(publishing, settings, announcements)
    if announcements:
        die()


# Where each step is called from, by which name, and what stands there instead.
REPLACED: dict[Point, tuple[ModuleType, str, Any]] = {
    Point.AFTER_THE_ROW: (requests, "record_requests", after(record_requests)),
    Point.AFTER_THE_CLAIM: (worker, "claim_job", after(claim_job)),
    Point.IN_THE_FILE: (worker, "render", _killed_in_the_file),
    Point.BEFORE_READINESS: (worker, "finish_job", _dying),
    Point.AFTER_READINESS: (worker, "finish_job", after(finish_job)),
    Point.BEFORE_SENDING: (relay, "_publish", _killed_before_sending),
    Point.AFTER_SENDING: (relay, "_publish", _killed_after_sending),
    Point.BEFORE_EXPIRY: (cleanup, "expire_reports", _dying),
    Point.BEFORE_THE_MARK: (redrive, "mark_redriven", _dying),
    Point.AFTER_THE_MARK: (redrive, "mark_redriven", once_done(mark_redriven)),
    Point.AFTER_THE_BATCH: (claims, "apply_claim_batch", _killed_after_the_batch),
    Point.BEFORE_THE_PLACES: (applier, "store_copies", _dying),
    Point.AFTER_THE_PLACES: (applier, "store_copies", once_done(store_copies)),
}


if __name__ == "__main__":
    module, name, replacement = REPLACED[Point(sys.argv.pop(1))]
    setattr(module, name, replacement)
    [program] = entry_points(group="console_scripts", name="claim-analytics")
    program.load()()
