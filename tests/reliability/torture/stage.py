"""What faults work on, and what the checker looks at after them."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from service.local.stack.postgres import PostgresServer
from tests.harness.deployment import Deployment
from tests.reliability.torture.fleet import Fleet
from tests.reliability.torture.wires import Wire, WiredBroker
from tests.reliability.torture.workload import Workload


class NotHere(Exception):
    """This machine lacks what the fault needs; the message names it."""


@dataclass
class Stage:
    """What faults work on. `packets` counts those that were lost, `erased` are the ids of providers
    that are gone for good, `patients` the numbers that were taken out, each with its provider."""

    deployment: Deployment
    broker: WiredBroker
    server: PostgresServer
    fleet: Fleet
    workload: Workload
    wires: dict[str, Wire]  # to the broker, and to the database
    folder: Path  # for files
    tally: Counter[str] = field(default_factory=Counter)
    packets: int = 0
    erased: set[str] = field(default_factory=set)
    patients: dict[str, str] = field(default_factory=dict)

    @property
    def temporary(self) -> Path:
        """The folder for the processes' temporary files, which must not stay."""
        return self.folder / "temporary"


Fault = Callable[[Stage, Random], Awaitable[None]]
