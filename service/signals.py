"""SIGTERM, SIGINT (Ctrl-C) and SIGHUP: they stop the service in order, and the demo cleanly."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn, Self, TypeVar

Result = TypeVar("Result")


@contextmanager
def stopped_by_signals(stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` at every SIGTERM and SIGINT; to be entered in a running event loop."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


class Interruption:
    """Within its `with` block the first SIGINT, SIGTERM or SIGHUP begins the end of the process.

    In plain code it raises KeyboardInterrupt; while `run` runs it cancels the work. Every later
    signal is ignored, so that none cuts the clean-up short. A SIGHUP that is ignored when the
    block begins (nohup) stays ignored.
    """

    def __init__(self) -> None:
        self._came = False
        self._begin_stop: Callable[[], object] = _raise_interrupt
        self._previous: dict[signal.Signals, Any] = {}

    def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result | None:
        """Run `work()` in an event loop; None if it was interrupted."""
        self._begin_stop = _do_nothing  # an exception while asyncio makes its loop would be lost
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
            self._begin_stop = _do_nothing

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._previous[number] = signal.getsignal(number)
            if number is not signal.SIGHUP or self._previous[number] is not signal.SIG_IGN:
                signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, signal.SIG_IGN if self._came else handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if not self._came:
            self._came = True
            self._begin_stop()


def _raise_interrupt() -> NoReturn:
    raise KeyboardInterrupt


def _do_nothing() -> None: ...
