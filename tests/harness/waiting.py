"""Waiting for something to become true, with a deadline in place of a sleep."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

LONG = 60.0  # seconds: a deadline that only something broken misses, on a busy machine too
POLL_SECONDS = 0.05


async def until(condition: Callable[[], T], what: str, within: float = LONG) -> T:
    """The first true value of `condition()`; fails with `what` it was waiting for."""

    async def check() -> T:
        return condition()

    return await until_async(check, what, within)


async def until_async(condition: Callable[[], Awaitable[T]], what: str, within: float = LONG) -> T:
    """As `until`, for a condition that must be awaited."""
    deadline = time.monotonic() + within
    while not (value := await condition()):
        assert time.monotonic() < deadline, f"waited {within:.0f} seconds in vain for {what}"
        await asyncio.sleep(POLL_SECONDS)  # a poll: for conditions that nothing announces
    return value


def eventually(condition: Callable[[], bool], seconds: float = 30) -> bool:
    """Whether the condition becomes true in time; for a test that has no event loop."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)  # a poll: for conditions that nothing announces
    return condition()
