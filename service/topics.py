"""The topics of the service, and creating those that are missing."""

from collections.abc import Sequence

from consumers.contracts.registry import READ_CONTRACTS, SENT_CONTRACTS
from service.kafka import KafkaAdmin, TopicPlan
from service.settings import Settings

DAY_MS = 24 * 60 * 60 * 1000
READ = tuple(contract.topic for contract in READ_CONTRACTS)
WRITTEN = tuple({contract.topic for contract in SENT_CONTRACTS})
ALL_TOPICS = (*READ, *WRITTEN)
HEADER_ROOM = 64 * 1024  # what the dlq- headers can add to a message, and to spare


async def create_missing_topics(
    admin: KafkaAdmin, settings: Settings, names: Sequence[str] = ALL_TOPICS
) -> list[str]:
    """Create topics (by their default names) where they are missing, and DLQs for those that are
    read; returns the names of those created."""
    created = []
    for name in names:
        source = _source(settings, settings.topic(name))
        if await admin.create(source):
            created.append(source.name)
        if name in WRITTEN:
            continue
        largest = int(await admin.topic_config(source.name, "max.message.bytes") or 0)
        letters = _dead_letters(settings, source, largest)
        if await admin.create(letters):
            created.append(letters.name)
    return created


def _source(settings: Settings, topic: str) -> TopicPlan:
    return TopicPlan(
        topic,
        settings.topic_partitions,
        settings.topic_replication,
        {"retention.ms": str(settings.topic_retention_days * DAY_MS)},
    )


def _dead_letters(settings: Settings, source: TopicPlan, largest: int) -> TopicPlan:
    """A DLQ takes what its topic takes and the headers; twice, as another codec may pack worse."""
    return TopicPlan(
        source.name + settings.topic_dlq_suffix,
        source.partitions,
        source.replication,
        {
            "retention.ms": str(2 * settings.topic_retention_days * DAY_MS),
            "max.message.bytes": str(2 * largest + HEADER_ROOM),
        },
    )
