"""The work as the doctor sees it: how far it is behind, and what waits for whom."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from consumers.engine.subscription import AnySubscription
from consumers.kafka.cluster import Cluster
from repositories.offsets import offsets_of
from repositories.operations.state import Waiting, what_waits
from repositories.operations.stops import KnownStop, known_stops
from repositories.postgres.clock import database_time
from repositories.postgres.database import Database
from service.kafka import KafkaAdmin
from service.operations.doctor.findings import Finding, fine, look, wrong
from service.operations.reading import Unread, ask
from service.parts import EVERY_SUBSCRIPTION
from service.settings import Settings

LAG, LETTERS, STOPPED = "lag", "dead letters", "stopped partitions"
WAITING = "work that waits"
LATE = timedelta(minutes=5)
START_ONE = "start `claim-analytics run`"
RESTORED = (
    "the database stands behind what was committed to Kafka, so it was restored from a backup. If"
    " anything was erased since, first: claim-analytics erase --import FILE. Then `run` reads what"
    " is missing again"
)


def groups(settings: Settings) -> dict[str, AnySubscription]:
    """Each with what it reads."""
    return {settings.group(one.name): one for one in EVERY_SUBSCRIPTION}


async def look_at_lag(
    settings: Settings, database: Database, cluster: Cluster, admin: KafkaAdmin
) -> Sequence[Finding]:
    """Lag is what was there five minutes ago, by the records' timestamps, and is not stored."""
    since = await database_time(database) - LATE
    reads = {
        group: [settings.topic(name) for name in subscription.decoders]
        for group, subscription in groups(settings).items()
        if group in cluster.members
    }
    present = [topic for topics in reads.values() for topic in topics if _is_there(topic, cluster)]
    old, all_ = await ask(admin, present, since), await ask(admin, present, None)
    found: list[Finding] = []
    for group, topics in reads.items():
        if not any(_is_there(topic, cluster) for topic in topics):
            continue
        committed = await admin.committed(group)
        async with database.snapshot() as connection:
            stored = await offsets_of(connection, group)
        if any(offset > stored.get(where, 0) for where, offset in committed.items()):
            found.append(wrong(LAG, f"{group}: {RESTORED}"))
        unread = all_.unread(stored, topics)
        found.append(_lag(group, cluster.members[group], old.unread(stored, topics), unread))
    return found


def _is_there(topic: str, cluster: Cluster) -> bool:
    return topic in cluster.topics.present


def _lag(group: str, members: int, old: Sequence[Unread], unread: Sequence[Unread]) -> Finding:
    waiting = sum(each.messages for each in unread)
    if old:
        late = sum(each.messages for each in old)
        where = ", ".join(f"{each.topic} {each.partition}" for each in old[:5])
        more = f" and {len(old) - 5} more partitions" if len(old) > 5 else ""
        todo = (
            "See 'A partition that stopped' in docs/operations.md, or start more instances"
            if members
            else f"No instance reads: {START_ONE}"
        )
        return wrong(
            LAG,
            f"{group}: {late:,} messages wait for longer than five minutes, in {where}{more}."
            f" {todo}",
        )
    if not members:
        return look(LAG, f"{group}: {waiting:,} messages wait, and no instance reads: {START_ONE}")
    return fine(LAG, f"{group}: {waiting:,} messages wait, for {members} members")


async def look_at_what_waits(
    settings: Settings, database: Database, running: bool | None
) -> Sequence[Finding]:
    """`running`: whether an instance follows the claims; None: it is not known."""
    async with database.snapshot() as connection:
        waiting = await what_waits(connection)
    found = [
        *[_stopped(known) for known in await known_stops(database, [*groups(settings)])],
        *_for_instances(waiting, running),
        *_for_persons(waiting),
        *_letters(waiting.open_letters),
    ]
    return found or [fine(WAITING, "no dead letter is open, and nothing is late")]


def _stopped(known: KnownStop) -> Finding:
    stop = known.stop
    last = "" if known.confirmed else " No instance that lives has said so lately."
    return wrong(
        STOPPED,
        f"{stop.topic} {stop.partition} is read no further than offset {stop.next_offset:,}:"
        f" {stop.why}{last} See 'A partition that stopped' in docs/operations.md",
    )


def _for_instances(waiting: Waiting, running: bool | None) -> Sequence[Finding]:
    tell = look if running or running is None else wrong
    todo = "an instance is at it" if running else f"`run` does it: {START_ONE}"
    found = []
    if waiting.providers_behind:
        found.append(
            tell(
                WAITING,
                f"of {waiting.providers_behind:,} providers the figures that are new in this"
                f" version are not filled in; {todo}",
            )
        )
    if waiting.lists_behind and not running:
        found.append(
            tell(WAITING, f"{waiting.lists_behind:,} lists of top codes are behind; {todo}")
        )
    return found


def _for_persons(waiting: Waiting) -> Sequence[Finding]:
    found = []
    if waiting.paused:
        topics = ", ".join(topic or "all topics" for topic in waiting.paused)
        found.append(
            look(WAITING, f"an operator has paused {topics}: claim-analytics offsets resume")
        )
    if waiting.late_announcements:
        found.append(
            wrong(
                WAITING,
                f"{waiting.late_announcements:,} announcements of reports wait for longer than five"
                f" minutes: if no instance runs, {START_ONE}; else its log says why",
            )
        )
    if waiting.refused_announcements:
        found.append(
            wrong(
                WAITING,
                f"{waiting.refused_announcements:,} announcements were set aside, as Kafka never"
                " takes them: see 'The report store, clocks, announcements' in docs/operations.md",
            )
        )
    return found


def _letters(by_topic: Mapping[str, int]) -> Sequence[Finding]:
    if not by_topic:
        return ()
    listed = ", ".join(f"{topic} {count:,}" for topic, count in by_topic.items())
    total = sum(by_topic.values())
    return [look(LETTERS, f"{total:,} are open ({listed}): claim-analytics dlq list")]
