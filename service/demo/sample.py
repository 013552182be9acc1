"""What there is to see at one moment."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from consumers.progress import Progress
from repositories.records import SelectGeneratedReport
from service.demo.figures import MonthFigures
from service.demo.upstream import Phase


@dataclass(frozen=True)
class Counts:
    """What the service has done with the messages it has read, over all topics."""

    messages: int = 0
    applied: int = 0
    duplicate: int = 0
    stale: int = 0
    dead_letters: Mapping[str, int] = field(default_factory=dict)  # by reason

    @classmethod
    def of(cls, consumers: Iterable[Progress]) -> Self:
        every = list(consumers)
        letters: Counter[str] = Counter()
        for progress in every:
            letters.update({reason.value: n for reason, n in progress.dead_letters.items()})
        return cls(
            sum(progress.messages for progress in every),
            sum(progress.applied for progress in every),
            sum(progress.duplicate for progress in every),
            sum(progress.stale for progress in every),
            letters,
        )

    @property
    def dead_lettered(self) -> int:
        return sum(self.dead_letters.values())


@dataclass(frozen=True)
class Sample:
    """One moment. `lag` is in messages, by topic: what the group has not yet committed.

    `counts` are of claim events; `reports` the physician's, the newest first;
    `environment` a script for other shells.
    """

    seconds: float
    phase: Phase
    published: int
    history: int
    counts: Counts
    lag: Mapping[str, int]
    per_second: float
    recent: Sequence[float]
    physician: str
    months: Sequence[MonthFigures]
    reports: Sequence[SelectGeneratedReport] = ()
    environment: str = ""
