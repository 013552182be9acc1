"""Chunks of several partitions as one batch."""

from aiokafka import TopicPartition

from consumers.batches import Batch, Chunk
from consumers.dead_letters import DeadLetter, DeadLetterReason
from tests.unit.consumers.records import KafkaRecord

LEFT, RIGHT = TopicPartition("topic", 0), TopicPartition("topic", 1)


def record(value: str) -> KafkaRecord:
    return KafkaRecord(value.encode(), [])


def letter(value: str) -> DeadLetter:
    return DeadLetter(DeadLetterReason.NOT_JSON, "value: must be JSON", record(value))


def chunk(
    partition: TopicPartition,
    next_offset: int,
    decoded: dict[str, str | DeadLetter] | None = None,
    after: int | None = 0,
) -> Chunk[str]:
    """`decoded` maps the values of records to what became of them."""
    decoded = decoded or {}
    records = [record(value) for value in decoded]
    return Chunk(partition, after, records, list(decoded.values()), next_offset, size=0)


def test_the_last_chunk_of_a_partition_says_where_to_go_on() -> None:
    batch = Batch([chunk(LEFT, 10), chunk(RIGHT, 7), chunk(LEFT, 25)])
    assert batch.next_offsets == {LEFT: 25, RIGHT: 7}


def test_the_first_chunk_of_a_partition_says_where_it_began() -> None:
    batch = Batch(
        [chunk(LEFT, 10, after=4), chunk(RIGHT, 7, after=None), chunk(LEFT, 25, after=10)]
    )
    assert batch.begins_after == {LEFT: 4, RIGHT: None}


def test_events_stay_beside_their_records_and_dead_letters_apart() -> None:
    bad = letter("2")
    batch = Batch([chunk(LEFT, 2, {"1": "one", "2": bad}), chunk(RIGHT, 1, {"3": "three"})])
    events, records, letters = batch.split()
    assert events == ["one", "three"]
    assert [each.value for each in records] == [b"1", b"3"]
    assert letters == [bad]


def test_which_are_unusable_is_told_in_the_order_of_arrival() -> None:
    batch = Batch([chunk(LEFT, 2, {"1": "one", "2": letter("2")}), chunk(RIGHT, 1, {"3": "three"})])
    assert list(batch.unusable()) == [False, True, False]


def test_its_length_is_the_number_of_messages() -> None:
    assert len(Batch([chunk(LEFT, 9), chunk(RIGHT, 2, {"1": "one", "2": letter("2")})])) == 2
