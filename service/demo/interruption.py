"""Ctrl-C and its kin: the first begins the stop, those that follow cannot cut it short."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from types import FrameType, TracebackType
from typing import Any, NoReturn, Self, TypeVar

Result = TypeVar("Result")


class Interruption:
    """While it is entered, SIGINT, SIGTERM and SIGHUP are its own.

    In plain code the first of them raises KeyboardInterrupt; while `run` runs it cancels the
    work. Afterwards, and when it is not the first, a signal changes nothing.
    """

    def __init__(self) -> None:
        self._came = False
        self._begin_stop: Callable[[], object] = _raise
        self._previous: dict[signal.Signals, Any] = {}

    def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result | None:
        """Run `work()` in an event loop; None if it was interrupted."""
        self._begin_stop = _note  # until the loop runs: an exception in its making is nobody's
        try:
            return asyncio.run(self._cancellable(work))
        except asyncio.CancelledError:
            return None

    async def _cancellable(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101  # a coroutine that runs has a task
        self._begin_stop = lambda: loop.call_soon_threadsafe(task.cancel)
        if self._came:
            raise asyncio.CancelledError
        try:
            return await work()
        finally:
            self._begin_stop = _note

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._previous[number] = signal.getsignal(number)
            if number is signal.SIGHUP and self._previous[number] is signal.SIG_IGN:
                continue  # nohup
            signal.signal(number, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            # After one of them, until the process ends, the others can do no more.
            signal.signal(number, signal.SIG_IGN if self._came else handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if not self._came:
            self._came = True
            self._begin_stop()


def _raise() -> NoReturn:
    raise KeyboardInterrupt


def _note() -> None:
    """That it came is all that is kept."""
