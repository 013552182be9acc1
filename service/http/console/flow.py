"""Topics and partitions as pages show them: lag, rate, who has them, and how that was lately."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from repositories.offset_samples import SLOT_SECONDS, Moment, TakenSample
from service.http.console.charts import Chart, by_topic, draw, lags, rates
from service.http.console.fleet import Seen
from service.http.console.glance import Behind, behind
from service.operations.standing import GroupStanding, Standing

POINTS = 180  # of a chart


@dataclass(frozen=True)
class Window:
    """The last hours, in steps of which a chart has no more than fit."""

    hours: int

    @property
    def since(self) -> timedelta:
        return timedelta(hours=self.hours)

    @property
    def step(self) -> timedelta:
        slots = -(-self.since // timedelta(seconds=SLOT_SECONDS * POINTS))
        return timedelta(seconds=SLOT_SECONDS * max(1, slots))

    def draw(self, now: datetime, *moments_of: Sequence[tuple[datetime, float]]) -> Chart:
        return draw(moments_of, now - self.since, now, self.step)


@dataclass(frozen=True)
class Flow:
    """Some partitions together: how far behind, messages read and published in a second (None: not
    known yet), charts of what waited and of both rates."""

    name: str
    behind: Behind
    read: float | None
    published: float | None
    waiting: Chart | None = None
    rates: Chart | None = None


@dataclass(frozen=True)
class GroupFlow:
    """A consumer group, and its topics."""

    group: GroupStanding
    all: Flow
    topics: Sequence[Flow]


def speeds(
    partitions: Collection[Standing], before: Mapping[str, TakenSample], at: datetime | None
) -> tuple[float | None, float | None]:
    """Messages in a second that were read, and published, since the samples `before`."""
    read = published = 0.0
    known = False
    for one in partitions:
        then = before.get(one.topic)
        if at is None or then is None or one.partition >= len(then.sample.next_offsets):
            continue
        seconds = (at - then.taken_at).total_seconds()
        if seconds > 0:
            known = True
            read += max(0, one.end - one.lag - then.sample.next_offsets[one.partition]) / seconds
            published += max(0, one.end - then.sample.end_offsets[one.partition]) / seconds
    return (read, published) if known else (None, None)


def flow(
    name: str,
    partitions: Collection[Standing],
    before: Mapping[str, TakenSample],
    at: datetime | None,
    charted: tuple[Chart, Chart] | tuple[None, None] = (None, None),
) -> Flow:
    return Flow(name, behind(partitions), *speeds(partitions, before, at), *charted)


def charts_of(moments: Sequence[Moment], window: Window, now: datetime) -> tuple[Chart, Chart]:
    """What waited; and what was read, with what was published as a second line."""
    read, published = rates(moments), rates(moments, published=True)
    return window.draw(now, lags(moments)), window.draw(now, read, published)


def group_flows(
    seen: Seen,
    before: Mapping[str, TakenSample],
    moments: Sequence[Moment],
    window: Window,
    now: datetime,
) -> Sequence[GroupFlow]:
    sampled = by_topic(moments)
    found = []
    for group in seen.groups:
        topics: dict[str, list[Standing]] = {}
        for one in group.partitions:
            topics.setdefault(one.topic, []).append(one)
        of_group = [moment for topic in topics for moment in sampled.get(topic, ())]
        whole = charts_of(sorted(of_group, key=lambda m: m.taken_at), window, now)
        found.append(
            GroupFlow(
                group,
                flow(group.group, group.partitions, before, seen.at, whole),
                [
                    flow(
                        topic,
                        partitions,
                        before,
                        seen.at,
                        charts_of(sampled.get(topic, ()), window, now),
                    )
                    for topic, partitions in topics.items()
                ],
            )
        )
    return found
