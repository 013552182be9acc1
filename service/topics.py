"""The topics of the service: creating those that are missing, and what is amiss with the others."""

from collections.abc import Collection, Sequence

from consumers.contracts.registry import READ_CONTRACTS, SENT_CONTRACTS
from service.kafka import KafkaAdmin, TopicPlan
from service.settings import Settings

DAY_MS = 24 * 60 * 60 * 1000
READ = tuple(contract.topic for contract in READ_CONTRACTS)
WRITTEN = tuple({contract.topic for contract in SENT_CONTRACTS})
ALL_TOPICS = (*READ, *WRITTEN)
HEADER_ROOM = 64 * 1024  # what the dlq- headers can add to a message, and to spare
RETENTION = "retention.ms"  # -1: for ever
# Retention counts by the time that a message has. Publishers may stamp theirs with the time of what
# happened, so that a backfill of old events would be gone before anyone had read it.
TIMESTAMPS, BY_BROKER = "message.timestamp.type", "LogAppendTime"
WHY = {
    TIMESTAMPS: "its messages count as being as old as their publisher says, so that a backfill of"
    " old events can be removed before it is read",
    RETENTION: "it keeps dead letters, patients' data among them, for longer than the topic itself"
    " keeps messages",
}


async def create_missing_topics(
    admin: KafkaAdmin, settings: Settings, names: Sequence[str] = ALL_TOPICS
) -> list[str]:
    """Create topics (by their default names) where they are missing, and DLQs for those that are
    read; returns the names of those created, once the broker knows them. Raises KafkaFailed."""
    sources = [_source(settings, settings.topic(name)) for name in names]
    read = [settings.topic(name) for name in names if name in READ]
    created = await admin.create_all(sources)
    existing = await admin.configs_of_all(read)
    created += await admin.create_all(
        _dead_letters(settings, source, existing[source.name])
        for source in sources
        if source.name in existing
    )
    await admin.configs_of_all(created)  # the broker hears of them a little later: wait for that
    return created


async def amiss(
    admin: KafkaAdmin, settings: Settings, present: Collection[str] | None = None
) -> dict[str, dict[str, str]]:
    """By topic: configurations that should be otherwise, and how; `present` topics exist, without
    it all of them do. Raises KafkaFailed."""
    letters = {
        settings.topic(name): settings.topic(name) + settings.topic_dlq_suffix for name in READ
    }
    names = [*map(settings.topic, ALL_TOPICS), *letters.values()]
    configs = await admin.configs_of_all(
        [name for name in names if present is None or name in present]
    )
    found = {
        letter: {RETENTION: configs[topic][RETENTION]}
        for topic, letter in letters.items()
        if topic in configs
        and letter in configs
        and _longer(configs[letter][RETENTION], configs[topic][RETENTION])
    }
    for topic, its in configs.items():
        if its[TIMESTAMPS] != BY_BROKER:
            found.setdefault(topic, {})[TIMESTAMPS] = BY_BROKER
    return found


def _source(settings: Settings, topic: str) -> TopicPlan:
    return TopicPlan(
        topic,
        settings.topic_partitions,
        settings.topic_replication,
        {RETENTION: str(settings.topic_retention_days * DAY_MS), TIMESTAMPS: BY_BROKER},
    )


def _dead_letters(settings: Settings, source: TopicPlan, existing: dict[str, str]) -> TopicPlan:
    """A DLQ takes what its topic takes and the headers; twice, as another codec may pack worse.

    It keeps whole events, patients' numbers among them: no longer than the topic itself does.
    """
    longest, own = source.configs[RETENTION], existing[RETENTION]
    return TopicPlan(
        source.name + settings.topic_dlq_suffix,
        source.partitions,
        source.replication,
        {
            RETENTION: own if _longer(longest, own) else longest,
            TIMESTAMPS: BY_BROKER,
            "max.message.bytes": str(2 * int(existing["max.message.bytes"]) + HEADER_ROOM),
        },
    )


def _longer(one: str, other: str) -> bool:
    """Whether a retention, in milliseconds, is longer than another."""
    if int(other) < 0:
        return False
    return int(one) < 0 or int(one) > int(other)
