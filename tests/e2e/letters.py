"""Comparing dead letters with the messages that they were."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from aiokafka.structs import ConsumerRecord

from service.kafka import Message
from tests.harness.deployment import Deployment
from tests.harness.kafka import dead_letters, read_topics
from tests.harness.rows import connected

Place = tuple[str, int, int]  # topic, partition, offset: a dead letter's identity
ADDED = (
    "dlq-reason",
    "dlq-detail",
    "dlq-topic",
    "dlq-partition",
    "dlq-offset",
    "dlq-timestamp",
    "dlq-group",
    "dlq-attempts",
)


class Sent(NamedTuple):
    """A message, and what the broker said on acknowledging it."""

    message: Message
    place: Place


def sent(messages: Iterable[Message], acknowledged: Iterable[Any]) -> list[Sent]:
    """Each message with its acknowledgement."""
    return [
        Sent(message, (at.topic, at.partition, at.offset))
        for message, at in zip(messages, acknowledged, strict=True)
    ]


async def assert_dead_lettered_once(deployment: Deployment, bad: Sequence[Sent]) -> Counter[str]:
    """Exactly these are in the dead letter topics, unchanged; returns how many of each reason."""
    letters = await dead_letters(deployment)
    by_place = {place_of(letter): letter for letter in letters}
    assert len(letters) == len(by_place), "a dead letter was sent twice"
    assert by_place.keys() == {message.place for message in bad}
    timestamps = await _timestamps(deployment)
    for message in bad:
        letter = by_place[message.place]
        _assert_unchanged(deployment, message, letter)
        assert _added(letter)["dlq-timestamp"] == str(timestamps[message.place])
    await _assert_rows(deployment, by_place)
    return Counter(_added(letter)["dlq-reason"] for letter in letters)


async def _assert_rows(deployment: Deployment, letters: Mapping[Place, ConsumerRecord]) -> None:
    """`dead_letters` says of each what its headers say, and where it lies."""
    async with connected(deployment) as connection:
        rows = await connection.fetch(
            "SELECT source_topic, source_partition, source_offset,"
            " extract(epoch FROM source_timestamp) * 1000 AS timestamp, reason, detail,"
            " consumer_group, state, redrives, copy_partition, copy_offset FROM dead_letters"
        )
    assert {tuple(row)[:3]: tuple(row)[3:] for row in rows} == {
        place: (
            int(_added(letter)["dlq-timestamp"]),
            *(_added(letter)[f"dlq-{name}"] for name in ("reason", "detail", "group")),
            *("open", 0, letter.partition, letter.offset),
        )
        for place, letter in letters.items()
    }


def _assert_unchanged(deployment: Deployment, message: Sent, letter: ConsumerRecord) -> None:
    topic, partition, offset = message.place
    assert letter.topic == topic + deployment.settings.topic_dlq_suffix
    assert (letter.key, letter.value) == (message.message.key, message.message.value)
    own = len(message.message.headers)
    assert list(letter.headers[:own]) == [tuple(header) for header in message.message.headers]
    assert [name for name, _ in letter.headers[own:]] == list(ADDED)
    added = _added(letter)
    assert added["dlq-detail"]
    assert (added["dlq-partition"], added["dlq-offset"]) == (str(partition), str(offset))
    assert added["dlq-group"] == deployment.group
    assert added["dlq-attempts"] == "1"


async def _timestamps(deployment: Deployment) -> dict[Place, int]:
    """Those of all messages, in milliseconds."""
    return {
        (record.topic, record.partition, record.offset): record.timestamp
        for record in await read_topics(deployment, deployment.topics)
    }


def place_of(letter: ConsumerRecord) -> Place:
    added = _added(letter)
    return added["dlq-topic"], int(added["dlq-partition"]), int(added["dlq-offset"])


def _added(letter: ConsumerRecord) -> Mapping[str, str]:
    return {name: value.decode() for name, value in letter.headers[-len(ADDED) :]}
