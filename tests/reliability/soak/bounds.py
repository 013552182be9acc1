"""What must be flat, and how flat: the judgement of a soak's samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Series = Mapping[str, Sequence[float]]  # by name; all have a value for each sample

INF = float("inf")
# Rows of these do not follow from what was published: they are as many as partitions or physicians,
# or come and go.
BOUNDED_TABLES = (
    "consumer_offsets",
    "lists_due",
    "orders",
    "provider_freshness",
    "providers",
    "stopped_partitions",
)
BUSY_TABLES = ("claims", "claim_events", "analytics_cache")
# A pool opens another connection at its busiest moment yet, and keeps it. The service's has 12; the
# HTTP side and notifications have a few of their own (110 minutes came to 16).
OPENED_LATE, MOST_CONNECTIONS = 3, 20
# A fifth of a table may be dead before autovacuum begins with it, and it looks once a minute: so
# twice that, and some thousands.
MOST_DEAD_SHARE, MOST_DEAD_FEW = 0.4, 10_000


@dataclass(frozen=True)
class Bound:
    """`rise`: how much higher the median of the last third of the samples may be than that of the
    middle third. `most`: what no sample of those two thirds may exceed."""

    name: str
    rise: float = INF
    most: float = INF

    def finding(self, values: Sequence[float]) -> str | None:
        """What is wrong with these values, if anything is."""
        third = len(values) // 3
        risen = median(values[-third:]) - median(values[third:-third])
        if risen > self.rise:
            return f"{self.name} rose by {risen:,.2f}, and may by {self.rise:,.2f}"
        highest = max(values[third:])
        if highest > self.most:
            return f"{self.name} reached {highest:,.2f}, and may {self.most:,.2f}"
        return None


def bounds(rate: float) -> list[Bound]:
    """All of them, at so many events a second."""
    return [
        Bound("memory, MB", rise=5),
        Bound("open files", rise=2 + OPENED_LATE),
        Bound("sockets", rise=2 + OPENED_LATE),
        Bound("threads", rise=1),
        Bound("processes", rise=0),
        Bound("connections", rise=OPENED_LATE, most=MOST_CONNECTIONS),
        Bound("oldest transaction, s", most=30),
        Bound("lag, messages", rise=rate, most=30 * rate),
        *(Bound(f"rows: {table}", rise=100, most=1_000) for table in BOUNDED_TABLES),
        *(Bound(f"size, MB: {table}", rise=1) for table in BOUNDED_TABLES),
        *(Bound(f"bytes a row: {table}", rise=100) for table in BUSY_TABLES),
    ]


def findings(series: Series, wanted: Sequence[Bound]) -> list[str]:
    """What is not as flat as it must be. Dead rows of every table are looked at too, not those of
    the first third: a backlog was read just before, and left many."""
    found = [bound.finding(series[bound.name]) for bound in wanted]
    for name in series:
        if name.startswith("dead rows: "):
            rows = series[name.replace("dead rows", "rows")]
            allowed = [MOST_DEAD_FEW + MOST_DEAD_SHARE * each for each in rows]
            beyond = [dead - most for dead, most in zip(series[name], allowed, strict=True)]
            if (worst := max(beyond[len(beyond) // 3 :])) > 0:
                found.append(f"{name}: {worst:,.0f} more than autovacuum should leave")
    return [each for each in found if each]
