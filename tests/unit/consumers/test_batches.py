"""Chunks of several partitions as one batch."""

from dataclasses import replace

from aiokafka import TopicPartition

from consumers.contracts.refusal import DeadLetter, DeadLetterReason
from consumers.engine.intake import Batch, Chunk
from tests.unit.consumers.records import KafkaRecord

LEFT, RIGHT = TopicPartition("topic", 0), TopicPartition("topic", 1)
OTHER = TopicPartition("other", 0)


def letter(value: str) -> DeadLetter:
    return DeadLetter(
        DeadLetterReason.NOT_JSON, "value: must be JSON", KafkaRecord(value.encode(), [])
    )


def chunk(
    partition: TopicPartition,
    next_offset: int,
    decoded: list[str | DeadLetter] | None = None,
    after: int | None = 0,
) -> Chunk[str]:
    """`decoded` is what became of its messages."""
    decoded = decoded or []
    return Chunk(
        partition,
        after,
        next_offset,
        [one for one in decoded if isinstance(one, str)],
        [one for one in decoded if isinstance(one, DeadLetter)],
        bytes(isinstance(one, DeadLetter) for one in decoded),
    )


BAD = letter("2")
MIXED = Batch([chunk(LEFT, 2, ["one", BAD]), chunk(OTHER, 1, [BAD]), chunk(RIGHT, 1, ["three"])])


def test_the_last_chunk_of_a_partition_says_where_to_go_on() -> None:
    batch = Batch([chunk(LEFT, 10), chunk(RIGHT, 7), chunk(LEFT, 25)])
    assert batch.next_offsets == {LEFT: 25, RIGHT: 7}


def test_the_first_chunk_of_a_partition_says_where_it_began() -> None:
    batch = Batch(
        [chunk(LEFT, 10, after=4), chunk(RIGHT, 7, after=None), chunk(LEFT, 25, after=10)]
    )
    assert batch.begins_after == {LEFT: 4, RIGHT: None}


def test_where_reading_begins_is_known_until_the_batch_after() -> None:
    first = replace(chunk(LEFT, 4, after=4), begins=True, is_new=True)
    batch = Batch([replace(first, partition=RIGHT, is_new=False), first, chunk(LEFT, 9, after=4)])
    assert (batch.begun, batch.new) == ({LEFT, RIGHT}, {LEFT})
    assert batch.begins_after == {LEFT: 4, RIGHT: 4}
    assert Batch([chunk(LEFT, 12, after=9)]).begun == set()


def test_events_come_in_the_order_of_arrival_and_dead_letters_apart() -> None:
    assert MIXED.events == ["one", "three"]
    assert MIXED.letters == [BAD, BAD]


def test_which_are_unusable_is_told_by_topic_in_the_order_of_arrival() -> None:
    assert MIXED.verdicts() == {"topic": b"\0\1\0", "other": b"\1"}


def test_its_length_is_the_number_of_messages() -> None:
    assert len(Batch([chunk(LEFT, 9), chunk(RIGHT, 2, ["one", BAD])])) == 2


def test_a_topic_is_left_out_with_its_events_letters_and_offsets() -> None:
    rest = MIXED.without({"topic"})
    assert (rest.events, rest.letters, rest.next_offsets) == ([], [BAD], {OTHER: 1})
    assert rest.verdicts() == {"other": b"\1"}
    assert MIXED.without({"neither"}).chunks == MIXED.chunks
