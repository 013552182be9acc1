"""What `/metrics` says, gathered when it is asked: counting costs what counts nothing more."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from consumers.contracts.refusal import DeadLetterReason
from consumers.engine.subscription import Progress
from consumers.supervision.outage import lasting
from consumers.telemetry.histogram import Histogram
from consumers.telemetry.lag import Lag
from consumers.telemetry.retries import RETRIES
from repositories.postgres.database import PoolUse
from repositories.vocabulary import ReportType
from service.parts import EVERY_SUBSCRIPTION
from service.telemetry import metrics
from service.telemetry.fleet import Fleet
from service.telemetry.metrics import Labels
from service.telemetry.reports import REPORT_SECONDS, Outcome

OUTCOMES = ("applied", "stale", "duplicate", "erased", "decoded_differently")
OPTIONAL = {one.name for one in EVERY_SUBSCRIPTION if one.optional}
VERSION = version("claim-analytics")


@dataclass(frozen=True, eq=False)
class Numbers(Collector):
    """`progress` is by subscription, `pools` by what a pool is for; the process's loop changes
    them while they are read here."""

    progress: Mapping[str, Progress] = field(default_factory=dict)
    pools: Mapping[str, Callable[[], PoolUse | None]] = field(default_factory=dict)
    fleet: Fleet = field(default_factory=Fleet)

    def collect(self) -> Iterator[Family]:
        yield metrics.INFO.of({(VERSION,): 1})
        yield from self._standing()
        yield from self._events()
        yield from self._trouble()
        # Those that are given up from the start, at 0, so that the first of them is an increase.
        tries = {(each, Outcome.FAILED): Histogram() for each in ReportType} | REPORT_SECONDS
        yield metrics.REPORT_SECONDS.of_histograms(tries.items())
        yield from self._of_the_fleet()

    def _standing(self) -> Iterator[Family]:
        now = time.time()
        lags: dict[Labels, Lag] = {}
        stopped: dict[Labels, float] = {}
        for name, one in self.progress.items():
            known = one.lags.all(now)
            for at in set(one.assigned):
                labels = (name, at.topic, str(at.partition))
                stopped[labels] = at in one.stopped
                if at in known:
                    lags[labels] = known[at]
        yield metrics.LAG_MESSAGES.of({of: lag.messages for of, lag in lags.items()})
        yield metrics.LAG_SECONDS.of({of: lag.seconds for of, lag in lags.items()})
        yield metrics.PARTITION_STOPPED.of(stopped)
        missing = {name: one for name, one in self.progress.items() if name not in OPTIONAL}
        yield metrics.TOPICS_MISSING.of({(n,): len(one.missing) for n, one in missing.items()})

    def _events(self) -> Iterator[Family]:
        consumers = self.progress.items()
        yield metrics.EVENTS.of(
            {(name, each): getattr(one, each) for name, one in consumers for each in OUTCOMES}
        )
        yield metrics.CORRECTED.of({(name,): one.corrected for name, one in consumers})
        yield metrics.DEAD_LETTERS.of(
            {
                (name, reason.value): one.dead_letters[reason]
                for name, one in consumers
                for reason in DeadLetterReason
            }
        )
        yield metrics.BATCHES.of({(name,): one.batches for name, one in consumers})
        yield metrics.BATCH_MESSAGES.of_histograms(
            ((name,), one.numbers.sizes) for name, one in consumers
        )
        yield metrics.BATCH_SECONDS.of_histograms(
            ((name, step.value), histogram)
            for name, one in consumers
            for step, histogram in one.numbers.seconds.items()
        )
        yield metrics.VISIBLE_SECONDS.of_histograms(
            ((name,), one.numbers.visible) for name, one in consumers
        )

    def _trouble(self) -> Iterator[Family]:
        yield metrics.RETRIES.of({(cause,): times for cause, times in dict(RETRIES).items()})
        trouble: dict[tuple[str, ...], float] = {}
        for one in lasting():
            trouble[one.doing,] = max(one.seconds, trouble.get((one.doing,), 0.0))
        yield metrics.TROUBLE_SECONDS.of(trouble)
        pools = {name: use for name, ask in self.pools.items() if (use := ask())}
        yield metrics.POOL_IN_USE.of({(name,): use.in_use for name, use in pools.items()})
        yield metrics.POOL_SIZE.of({(name,): use.size for name, use in pools.items()})

    def _of_the_fleet(self) -> Iterator[Family]:
        fleet = self.fleet
        yield metrics.DATABASE_UP.of_one(None if fleet.up is None else float(fleet.up))
        yield metrics.FLEET_AGE.of_one(fleet.age)
        if (known := fleet.numbers) is None:
            return
        yield metrics.DEAD_LETTERS_OPEN.of(_labelled(known.letters))
        yield metrics.REPORTS.of(_labelled(known.reports))
        yield metrics.REPORTS_WAITING.of_one(known.report_waiting)
        yield metrics.OUTBOX_DEPTH.of_one(known.outbox)
        yield metrics.OUTBOX_AGE.of_one(known.outbox_waiting)
        yield metrics.OUTBOX_REFUSED.of_one(known.outbox_refused)
        if nightly := known.nightly:
            yield metrics.NIGHTLY_ENDED.of_one(nightly.ended)
            yield metrics.NIGHTLY_SECONDS.of_one(nightly.seconds)
            yield metrics.NIGHTLY_ROWS.of({(each,): n for each, n in nightly.rows.items()})
        yield metrics.REPAIRED_ROWS.of(_labelled(known.repaired))
        yield metrics.OLDEST_CONFIRMATION.of_one(known.oldest_confirmation)
        yield metrics.LISTS_BEHIND.of_one(known.lists_behind)
        yield metrics.PROVIDERS_BEHIND.of_one(known.providers_behind)
        yield metrics.PAUSES.of_one(known.pauses)


def _labelled(counts: Mapping[Any, int]) -> Counter[Labels]:
    """By the words of the labels; rows hold members of closed lists too."""
    return Counter({tuple(map(str, labels)): n for labels, n in counts.items()})
