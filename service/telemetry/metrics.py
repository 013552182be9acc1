"""Every metric once: its name, type, labels and meaning. docs/telemetry.md is made from this.

A label's values are closed lists, topics, and numbers of partitions: never an id of a claim, a
provider or a report.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.core import Metric as Family

from consumers.telemetry.histogram import Histogram

PREFIX = "claim_analytics_"
Labels = tuple[str, ...]


class Kind(StrEnum):
    """Prometheus' types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Scope(StrEnum):
    """Whose number it is."""

    PROCESS = "process"  # of this instance: add them up
    FLEET = "fleet"  # of the database, which every instance tells alike: take the maximum


@dataclass(frozen=True)
class Metric:
    """`name` is without `PREFIX`, and without the `_total` that a counter ends with."""

    name: str
    kind: Kind
    meaning: str
    labels: Labels = ()
    scope: Scope = Scope.PROCESS

    @property
    def full_name(self) -> str:
        """As Prometheus shows it."""
        return PREFIX + self.name + ("_total" if self.kind is Kind.COUNTER else "")

    @property
    def series(self) -> Sequence[str]:
        """The names that its samples have."""
        if self.kind is Kind.HISTOGRAM:
            return [f"{self.full_name}_{part}" for part in ("bucket", "count", "sum")]
        return [self.full_name]

    def of(self, values: Mapping[Labels, float]) -> Family:
        """The samples of a counter or gauge, by the values of its labels."""
        make = CounterMetricFamily if self.kind is Kind.COUNTER else GaugeMetricFamily
        family = make(PREFIX + self.name, self.meaning, labels=self.labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        return family

    def of_one(self, value: float | None) -> Family:
        """The sample of what has no labels; none where it is not known."""
        return self.of({} if value is None else {(): value})

    def of_histograms(self, histograms: Iterable[tuple[Labels, Histogram]]) -> Family:
        family = HistogramMetricFamily(PREFIX + self.name, self.meaning, labels=self.labels)
        for labels, histogram in histograms:
            counts, below = list(histogram.counts), 0
            buckets = []
            bounds = (*(str(float(bound)) for bound in histogram.bounds), "+Inf")
            for bound, count in zip(bounds, counts, strict=True):
                below += count
                buckets.append((bound, below))
            family.add_metric(labels, buckets, histogram.sum)
        return family


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.COUNTER, meaning, labels)


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, meaning, labels)


def _histogram(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.HISTOGRAM, meaning, labels)


def _fleet(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, meaning, labels, Scope.FLEET)


INFO = _gauge("info", "1; which version runs", "version")

# Where reading stands. `consumer` is a subscription, as in the log.
LAG_MESSAGES = _gauge(
    "partition_lag_messages",
    "Messages of a partition that are not applied, at most: offsets can have gaps",
    *("consumer", "topic", "partition"),
)
LAG_SECONDS = _gauge(
    "partition_lag_seconds",
    "Age of a partition's oldest message that is not applied, by its timestamp; 0 where none is"
    " left",
    *("consumer", "topic", "partition"),
)
PARTITION_STOPPED = _gauge(
    "partition_stopped",
    "1 where a partition is read no further until a person decides, else 0",
    *("consumer", "topic", "partition"),
)
TOPICS_MISSING = _gauge(
    "topics_missing",
    "Topics that must be read and are not there, or not permitted",
    "consumer",
)

# What becomes of messages.
EVENTS = _counter(
    "events",
    "Events by what became of them: applied, stale (out of order: it came after a higher version),"
    " duplicate, erased (of a provider that was erased), decoded_differently (a duplicate that the"
    " decoder of today reads differently)",
    *("consumer", "outcome"),
)
CORRECTED = _counter(
    "events_corrected",
    "Of the events applied, those that brought a claim that was known a higher version",
    "consumer",
)
DEAD_LETTERS = _counter(
    "dead_letters", "Messages that could not be used, by the reason", *("consumer", "reason")
)
BATCHES = _counter("batches", "Transactions that applied messages", "consumer")
BATCH_MESSAGES = _histogram("batch_messages", "Messages of a batch", "consumer")
BATCH_SECONDS = _histogram(
    "batch_step_duration_seconds",
    "How long a batch took for each step: to collect its messages, for the transaction (retries"
    " included), for dead letters, for the commit to Kafka",
    *("consumer", "step"),
)
VISIBLE_SECONDS = _histogram(
    "visible_after_seconds",
    "From the timestamp of a batch's oldest message until it was applied and committed",
    "consumer",
)

# Trouble.
RETRIES = _counter(
    "retries", "What failed in passing and was tried again, by the class of the error", "cause"
)
TROUBLE_SECONDS = _gauge(
    "trouble_seconds",
    "What fails right now and is tried again, as the log names it, and for how long",
    "doing",
)
DATABASE_UP = _gauge(
    "database_up", "1 if PostgreSQL answered the last question for the fleet's numbers, else 0"
)
POOL_IN_USE = _gauge("pool_connections_in_use", "Connections to PostgreSQL that are taken", "pool")
POOL_SIZE = _gauge("pool_connections_max", "Connections to PostgreSQL that may be", "pool")

# Reports that this instance makes.
REPORT_SECONDS = _histogram(
    "report_duration_seconds",
    "How long a try at a report took; ready, failed (given up), postponed (to be tried again), or"
    " lost (another worker has it)",
    *("report_type", "outcome"),
)

# Of the whole fleet, as the database has it.
FLEET_AGE = _gauge(
    "fleet_age_seconds", "How old the fleet's numbers are; absent before there were any"
)
DEAD_LETTERS_OPEN = _fleet(
    "dead_letters_open",
    "Dead letters that nobody has done anything about, or whose redrive was in vain",
    *("topic", "reason"),
)
REPORTS = _fleet("reports", "Reports, by where they are in their life", "report_type", "status")
REPORTS_WAITING = _fleet(
    "report_oldest_unfinished_seconds",
    "How long the oldest report waits that is neither ready nor given up; 0 without any",
)
OUTBOX_DEPTH = _fleet("outbox_depth", "Announcements that wait to be sent")
OUTBOX_AGE = _fleet(
    "outbox_oldest_seconds", "How long the oldest of them has waited; 0 without any"
)
OUTBOX_REFUSED = _fleet(
    "outbox_refused", "Announcements that Kafka will never take, set aside for a person"
)
NIGHTLY_ENDED = _fleet(
    "nightly_last_end_timestamp_seconds", "When the last nightly run ended; absent before the first"
)
NIGHTLY_SECONDS = _fleet("nightly_last_duration_seconds", "How long the last nightly run took")
NIGHTLY_ROWS = _fleet(
    "nightly_last_rows",
    "Rows of analytics_cache that the last nightly run confirmed, repaired or removed",
    "result",
)
REPAIRED_ROWS = _fleet(
    "repaired_rows",
    "Rows of analytics_cache that were found to be wrong within the last 24 hours, by which command"
    " or job; it should be nothing",
    "found_by",
)
OLDEST_CONFIRMATION = _fleet(
    "oldest_confirmation_seconds",
    "How long ago the figures were confirmed of the provider for whom that is longest",
)
LISTS_BEHIND = _fleet("lists_behind", "Months whose row of a list is behind for the moment")
PROVIDERS_BEHIND = _fleet(
    "providers_behind", "Providers whose figures are to be filled in after an upgrade"
)
PAUSES = _fleet("pauses", "Orders of operators by which topics are not read")

METRICS: Sequence[Metric] = [one for one in vars().values() if isinstance(one, Metric)]
