"""Signs of life of the loops and jobs of a process, for who judges whether one is stuck.

A pulse rests while its job waits for work, for the time of its next round, or for a Kafka that may
be away: that may last for ever. While it works it must beat now and then. The code in between asks
for none: `working`, `resting` and `beat` act on the pulse of the task that they are called in, and
do nothing where there is none, as in a command.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

Result = TypeVar("Result")

_current: ContextVar["Pulse | None"] = ContextVar("pulse", default=None)


@dataclass
class Pulse:
    """`beaten` is when it beat last, by its clock, and None while it rests; `doing` is for people.

    Other threads read it.
    """

    name: str
    pulses: "Pulses"
    doing: str = ""
    beaten: float | None = None

    def beat(self) -> None:
        """What works goes on; one that rests goes on resting."""
        if self.beaten is not None:
            self.beaten = self.pulses.clock()

    def part(self, name: str) -> "Pulse":
        """That of a loop within this one."""
        return self.pulses.of(f"{self.name} {name}")

    def task(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        """A task with this pulse; tasks that it makes in turn have it too."""
        context = copy_context()
        context.run(_current.set, self)
        return asyncio.create_task(work, context=context)


@dataclass
class Pulses:
    """All that there are, by name. `clock` is in seconds."""

    clock: Callable[[], float] = time.monotonic
    all: dict[str, Pulse] = field(default_factory=dict)

    def of(self, name: str) -> Pulse:
        return self.all.setdefault(name, Pulse(name, self))


def current_pulse() -> Pulse:
    """That of this task, or one that nobody looks at."""
    return _current.get() or Pulses().of("")


def beat() -> None:
    """To be called now and then by work that takes long."""
    current_pulse().beat()


@contextmanager
def working(doing: str) -> Iterator[None]:
    """The block is work; silence in it counts."""
    pulse = current_pulse()
    before, worked = pulse.doing, pulse.beaten is not None
    pulse.doing, pulse.beaten = doing, pulse.pulses.clock()
    try:
        yield
    finally:
        pulse.doing = before
        pulse.beaten = pulse.pulses.clock() if worked else None


@contextmanager
def resting() -> Iterator[None]:
    """The block waits for what may stay away for ever."""
    pulse = current_pulse()
    worked = pulse.beaten is not None
    pulse.beaten = None
    try:
        yield
    finally:
        if worked:
            pulse.beaten = pulse.pulses.clock()
