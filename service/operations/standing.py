"""Where every partition that the service reads stands: on the broker, in the group, in the
database."""

import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from consumers.engine.offsets import start_offset
from consumers.engine.subscription import AnySubscription
from consumers.kafka.groups import GroupState, Member
from consumers.kafka.inflation import bound_inflation
from consumers.kafka.inspection import Inspection, inspection
from repositories.offsets import stored_offsets
from repositories.operations.orders import Pause, open_orders
from repositories.operations.stops import KnownStop, known_stops
from repositories.postgres.database import Database
from service import wiring
from service.kafka import KafkaAdmin, kafka_admin, kafka_explained
from service.settings import Settings
from service.settings.topics import setting_of


@dataclass(frozen=True)
class Standing:
    """One partition, as a group reads it.

    Offsets name the next message: `end` is one past the last that can be read. `committed` is
    Kafka's, `stored` the database's, None where there is none. `lag_seconds` is the age of the next
    record, by its timestamp, 0 where there is none; of one that nobody can read it is the time
    since the partition stopped over it. None where neither is known.
    """

    group: str
    topic: str
    partition: int
    first: int
    end: int
    committed: int | None
    stored: int | None
    lag_seconds: float | None
    member: Member | None
    stop: KnownStop | None
    pause: Pause | None

    @property
    def lag(self) -> int:
        """In messages, at most: there can be gaps between offsets."""
        return max(0, self.end - start_offset(self.committed, self.stored, self.first))


@dataclass(frozen=True)
class GroupStanding:
    """A consumer group, in Kafka's words, and its partitions; `missing` topics are not there."""

    group: str
    state: GroupState
    partitions: Sequence[Standing]
    missing: Sequence[str]


def own_topics(settings: Settings, subscriptions: Sequence[AnySubscription]) -> dict[str, str]:
    """Each topic that is read, and the group that reads it."""
    return {
        settings.topic(name): settings.group(subscription.name)
        for subscription in subscriptions
        for name in subscription.decoders
    }


def topic_named(settings: Settings, name: str, topics: Collection[str]) -> str:
    """The topic of this name, or of this default name. Raises ValueError for what is not read."""
    if name in topics:
        return name
    setting_of(name)
    if (topic := settings.topic(name)) in topics:
        return topic
    raise ValueError(f"{name} is a topic that the service writes, and reads nothing of")


class Kafka:
    """Both ways to look at Kafka."""

    def __init__(self, admin: KafkaAdmin, inspection: Inspection) -> None:
        self.admin = admin
        self.inspection = inspection


@asynccontextmanager
async def looking_at_kafka(settings: Settings) -> AsyncIterator[Kafka]:
    """Raises KafkaFailed."""
    bound_inflation(settings.kafka_max_inflated_bytes)
    connection = wiring.kafka_connection(settings)
    async with kafka_admin(connection) as admin:
        with kafka_explained(connection):
            async with inspection(connection) as inspecting:
                yield Kafka(admin, inspecting)


async def standings(
    kafka: Kafka, database: Database, topics: Mapping[str, str]
) -> list[GroupStanding]:
    """Of these topics, each with its group."""
    there = await kafka.admin.existing_topics()
    orders = await open_orders(database)
    groups = list(dict.fromkeys(topics.values()))
    stops = {one.stop.place: one for one in await known_stops(database, groups)}
    found = []
    for group in groups:
        own = [topic for topic, of in topics.items() if of == group]
        state = await kafka.inspection.group(group)
        partitions = await _partitions(
            kafka, database, group, state, sorted(there.intersection(own)), stops, orders.pauses
        )
        found.append(GroupStanding(group, state, partitions, sorted(set(own) - there)))
    return found


async def _partitions(
    kafka: Kafka,
    database: Database,
    group: str,
    state: GroupState,
    topics: Sequence[str],
    stops: Mapping[tuple[str, str, int], KnownStop],
    pauses: Sequence[Pause],
) -> list[Standing]:
    if not topics:
        return []
    ends = await kafka.admin.end_offsets(topics)
    firsts = await kafka.inspection.first_offsets(list(ends))
    committed = await kafka.admin.committed(group)
    stored = await stored_offsets(database, group)
    starts = {at: start_offset(committed.get(at), stored.get(at), firsts[at]) for at in ends}
    unread = {at: (starts[at], end) for at, end in ends.items() if starts[at] < end}
    times = await kafka.inspection.timestamps(unread) if unread else {}
    found = []
    for at, end in sorted(ends.items()):
        stop = stops.get((group, *at))
        if stop and stop.stop.next_offset < starts[at]:  # it was read on since
            stop = None
        standing = Standing(
            group,
            *at,
            firsts[at],
            end,
            committed.get(at),
            stored.get(at),
            _age(times.get(at), stop) if at in unread else 0.0,
            state.holders.get(at),
            stop,
            next((one for one in pauses if one.topic in (None, at[0])), None),
        )
        found.append(standing)
    return found


def _age(timestamp_ms: int | None, stop: KnownStop | None) -> float | None:
    """Publishers' clocks can be ahead, so it can be nothing."""
    since = [] if timestamp_ms is None else [timestamp_ms / 1000]
    if stop:
        since.append(stop.stopped_at.timestamp())
    return max(0.0, time.time() - min(since)) if since else None
