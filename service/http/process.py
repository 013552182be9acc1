"""What the HTTP side knows of the process that it is part of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from consumers.engine.orders import Orders
from consumers.engine.subscription import Progress
from repositories.postgres.database import PoolUse
from service.parts import Part
from service.settings import Settings
from service.watchdog import Watchdog


@dataclass(frozen=True)
class ServedProcess:
    """What routes may know of the process that serves them.

    `progress` and `lanes`, how many there are, are by subscription; `stopping` says whether it has
    been told to stop, `pool_use` how many of its connections are taken. It belongs to another
    thread's event loop: read it, and await nothing of it; what changes there is copied before it is
    gone through.
    """

    settings: Settings
    progress: Mapping[str, Progress] = field(default_factory=dict)
    lanes: Mapping[str, int] = field(default_factory=dict)
    orders: Orders = field(default_factory=Orders)
    watchdog: Watchdog = field(default_factory=Watchdog)
    parts: Sequence[Part] = (Part.HTTP,)
    stopping: Callable[[], bool] = lambda: False
    pool_use: Callable[[], PoolUse | None] = lambda: None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
