"""A consumer's topics: which are there, which are not permitted, and which have changed."""

import difflib
import logging
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    InvalidTopicError,
    KafkaError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from consumers.kafka.connection import KafkaConnection
from consumers.kafka.faults import TopicCreatedAnew
from consumers.kafka.reach import reachable
from consumers.kafka.topic_metadata import NO_ID, WITH_IDS, TopicsRequest

log = logging.getLogger(__name__)

ADD_AN_ACL = "add an ACL (docs/operations.md, Permissions in Kafka)"
READ, WRITE = 3, 4  # of Kafka's AclOperation
SIMILAR = 0.85  # of 1: `clam-paid` and `claim-paid` are, `claim-paid` and `claim-submitted` are not


@dataclass(frozen=True)
class TopicState:
    """`topic_id` is another for another topic of the same name; None where the broker, which may be
    an older one among newer, knows none."""

    partitions: int
    topic_id: bytes | None

    def is_another(self, than: "TopicState") -> bool:
        return None not in (self.topic_id, than.topic_id) and self.topic_id != than.topic_id


@dataclass(frozen=True)
class Topics:
    """Those of the topics that were asked for that are there, and those that are forbidden.

    `missing` has the others, each with the topic of the cluster that has nearly its name, if any.
    """

    present: dict[str, TopicState] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    missing: dict[str, str | None] = field(default_factory=dict)

    def complaint(self) -> str:
        """What is wrong with those that are not there, and what to do; empty if all are."""
        said = [missing_topic(name, similar) for name, similar in sorted(self.missing.items())]
        if self.forbidden:
            said.append(forbidden_topics(self.forbidden))
        return "; ".join(said)


@dataclass(frozen=True)
class Permissions:
    """What this user may do with a topic. None: the broker, which is an old one, does not say."""

    read: bool | None
    write: bool | None


def missing_topic(name: str, similar: str | None = None) -> str:
    """A name that is nearly that of another topic is a slip more often than a topic to create."""
    if similar:
        return (
            f"there is no topic {name}, but {similar}: is it spelt wrongly in the settings"
            " CLAIM_ANALYTICS_TOPIC_…?"
        )
    return f"there is no topic {name}: run `claim-analytics topics` to create what is missing"


def forbidden_topics(names: Collection[str]) -> str:
    listed = " and ".join(sorted(names))
    return f"Kafka does not permit this user to use the topic {listed}: {ADD_AN_ACL}"


async def topics_of(
    consumer: AIOKafkaConsumer, connection: KafkaConnection, names: Collection[str]
) -> Topics:
    """Ask for these topics, by name: a list of all would leave out what is forbidden.

    Raises KafkaUnreachable, or a bare KafkaError where Kafka is there and this client, which may
    know addresses of former days only, does not reach it.
    """
    described = await _described(consumer, sorted(names))
    if described is None:
        await reachable(connection)
        # A broker ends connections whose login has expired; the client makes new ones.
        described = await _described(consumer, sorted(names))
    if described is None:
        raise KafkaError
    found = Topics()
    for error, name, state in described:
        if error == TopicAuthorizationFailedError.errno:
            found.forbidden.add(name)
        elif error in (UnknownTopicOrPartitionError.errno, InvalidTopicError.errno):
            found.missing[name] = None
        else:
            found.present[name] = state
    if found.missing:
        there = await consumer.topics()
        for name in found.missing:
            found.missing[name] = similar_topic(name, there)
    return found


async def permissions_of(
    consumer: AIOKafkaConsumer, names: Collection[str]
) -> dict[str, Permissions]:
    """Of those of the topics that this user can see. Raises KafkaError if no broker answers."""
    answer = await _ask(consumer, TopicsRequest(sorted(names), permissions=True))
    if answer is None:
        raise KafkaError
    if answer.API_VERSION < WITH_IDS:
        return {name: Permissions(None, None) for error, name, *_ in answer.topics if not error}
    return {
        name: Permissions(bool(allowed >> READ & 1), bool(allowed >> WRITE & 1))
        for error, name, _, _, _, allowed, *_ in answer.topics
        if not error
    }


def similar_topic(name: str, there: Collection[str]) -> str | None:
    others = [other for other in there if not other.startswith(f"{name}.")]  # not its own DLQ
    return next(iter(difflib.get_close_matches(name, others, n=1, cutoff=SIMILAR)), None)


def missing_permission(error: Exception) -> str | None:
    """What this user may not do, if the error says so."""
    if isinstance(error, TopicAuthorizationFailedError):
        names = error.args[0] if error.args else ()  # one, or a set of them
        return forbidden_topics({names} if isinstance(names, str) else names)
    if isinstance(error, GroupAuthorizationFailedError):
        what = f"read as the group {error.args[0]}" if error.args else "read as its group"
    elif isinstance(error, ClusterAuthorizationFailedError):
        what = "create topics, or to write to any"
    else:
        return None
    return f"Kafka does not permit this user to {what}: {ADD_AN_ACL}"


@dataclass
class TopicWatch:
    """What changes about a lane's topics while it runs. Of a process's lanes one `tells`.

    The client itself notices within half a minute that there are more partitions, in silence, and
    that another topic has the name not at all.
    """

    labels: Mapping[str, object]
    tells: bool
    created_anew: set[str] = field(default_factory=set)
    _known: dict[str, TopicState] = field(default_factory=dict)

    def look_at(self, present: Mapping[str, TopicState]) -> None:
        """Raises TopicCreatedAnew; which they are stays in `created_anew`."""
        for topic, now in present.items():
            was = self._known.get(topic, now)
            self._known[topic] = replace(now, topic_id=now.topic_id or was.topic_id)
            if now.is_another(was):
                self.created_anew.add(topic)
            elif was.partitions != now.partitions and self.tells:
                log.warning(
                    "topic %s has %d partitions now, %d before: they are shared out anew",
                    topic, now.partitions, was.partitions,
                    extra=self.labels,
                )  # fmt: skip
        if self.created_anew:
            raise TopicCreatedAnew(
                f"the topic {' and '.join(sorted(self.created_anew))} was deleted and created anew;"
                " what the former one held and was not yet read is lost, the new one is read from"
                " its beginning"
            )


async def _described(
    consumer: AIOKafkaConsumer, names: Sequence[str]
) -> list[tuple[int, str, TopicState]] | None:
    """Error code, name and state of each, from whichever broker answers; None if none does."""
    answer = await _ask(consumer, TopicsRequest(names))
    if answer is None:
        return None
    if answer.API_VERSION < WITH_IDS:
        return [(e, name, TopicState(len(parts), None)) for e, name, _, parts in answer.topics]
    return [
        (error, name, TopicState(len(parts), None if topic_id == NO_ID else topic_id))
        for error, name, topic_id, _, parts, *_ in answer.topics
    ]


async def _ask(consumer: AIOKafkaConsumer, request: TopicsRequest) -> Any:
    """The answer of whichever broker gives one; None if none does."""
    client = consumer._client  # noqa: SLF001  # the consumer has no request that shows topics' ids
    nodes = [broker.nodeId for broker in client.cluster.brokers()]
    for node in random.sample(nodes, len(nodes)):
        try:
            return await client.send(node, request)
        except KafkaError:
            continue
    return None
