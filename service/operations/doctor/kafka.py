"""Kafka as the doctor sees it: reachable, its topics, and what this user may do there."""

from collections.abc import Sequence

from consumers.kafka.cluster import Cluster
from consumers.kafka.topics import ADD_AN_ACL, forbidden_topics, missing_topic
from consumers.topics.claims import CLAIMS
from service.kafka import KafkaAdmin, KafkaFailed
from service.operations.doctor.findings import Finding, Level, fine, look, wrong
from service.parts import EVERY_SUBSCRIPTION
from service.settings import Settings
from service.topics import READ, WHY, WRITTEN, amiss

TOPICS, PERMISSIONS = "topics", "permissions"


def letters_of(settings: Settings, topic: str) -> str:
    return topic + settings.topic_dlq_suffix


def all_topics(settings: Settings) -> list[str]:
    """Those that are read, those that are written, and the dead letter topics."""
    read = [settings.topic(name) for name in READ]
    written = [settings.topic(name) for name in WRITTEN]
    return [*read, *written, *(letters_of(settings, topic) for topic in read)]


async def look_at_topics(
    settings: Settings, cluster: Cluster, admin: KafkaAdmin
) -> Sequence[Finding]:
    """Which are missing, and what is amiss with the others."""
    found = [*_missing(settings, cluster), *_partitions(settings, cluster)]
    try:
        wrongly_set = await amiss(admin, settings, cluster.topics.present)
    except KafkaFailed as error:
        # The service itself needs no right to see it.
        found.append(look(TOPICS, f"how they are set could not be looked at: {error}"))
        wrongly_set = {}
    for topic, configs in wrongly_set.items():
        changes = ",".join(f"{key}={value}" for key, value in configs.items())
        why = "; ".join(WHY[key] for key in configs)
        found.append(
            wrong(
                TOPICS,
                f"{topic}: {why}. kafka-configs.sh --alter --entity-type topics --entity-name"
                f" {topic} --add-config {changes} changes it",
            )
        )
    return found or [fine(TOPICS, f"all {len(cluster.topics.present)} are there and set right")]


def _missing(settings: Settings, cluster: Cluster) -> Sequence[Finding]:
    read = [settings.topic(n) for one in EVERY_SUBSCRIPTION if one.optional for n in one.decoders]
    optional = {*read, *(letters_of(settings, topic) for topic in read)}
    found = [
        Finding(
            TOPICS,
            Level.LOOK if name in optional else Level.WRONG,
            missing_topic(name, similar)
            + (" (the service runs without it)" if name in optional else ""),
        )
        for name, similar in sorted(cluster.topics.missing.items())
    ]
    if cluster.topics.forbidden:
        found.append(wrong(PERMISSIONS, forbidden_topics(cluster.topics.forbidden)))
    return found


def _partitions(settings: Settings, cluster: Cluster) -> Sequence[Finding]:
    present = cluster.topics.present
    claims = [settings.topic(name) for name in CLAIMS.decoders]
    counts = {topic: present[topic].partitions for topic in claims if topic in present}
    if len(set(counts.values())) <= 1:
        return ()
    listed = ", ".join(f"{name} has {count}" for name, count in sorted(counts.items()))
    said = (
        "the claim topics differ in their number of partitions, which slows consumption down:"
        f" {listed}. kafka-topics.sh --alter --partitions N --topic NAME adds some"
    )
    return [look(TOPICS, said)]


def look_at_permissions(settings: Settings, cluster: Cluster) -> Sequence[Finding]:
    """Of what this user can see; `look_at_topics` tells of what it cannot."""
    read = [settings.topic(name) for name in READ]
    written = [settings.topic(name) for name in WRITTEN]
    written += [letters_of(settings, topic) for topic in read]
    allowed = cluster.permissions
    unread = [name for name in read if name in allowed and allowed[name].read is False]
    unwritten = [name for name in written if name in allowed and allowed[name].write is False]
    found = [
        wrong(
            PERMISSIONS,
            f"Kafka does not permit this user to {what} {', '.join(names)}: {ADD_AN_ACL}",
        )
        for what, names in (("read the topic", unread), ("write to the topic", unwritten))
        if names
    ]
    found += [wrong(PERMISSIONS, why) for why in cluster.closed.values()]
    if found or cluster.topics.forbidden:
        return found
    return [fine(PERMISSIONS, "this user may read, write and join the groups as it needs to")]
