"""Partitions that are read no further: over which errors, and in words for who decides."""

from dataclasses import dataclass
from traceback import walk_tb

from aiokafka import TopicPartition
from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    UnsupportedCodecError,
)

from repositories.vocabulary import StopCause

OF_ONE_PARTITION = (
    OffsetOutOfRangeError,
    CorruptRecordException,
    RecordTooLargeError,
    UnsupportedCodecError,
)
SEE = "See 'A partition that stopped' in docs/operations.md."


@dataclass(frozen=True)
class Stop:
    """A partition that stands at the offset `next`."""

    cause: StopCause
    next: int
    why: str


def stop_over(partition: TopicPartition, offset: int, error: Exception) -> Stop:
    """The stop of a partition whose record at `offset` met this error."""
    if isinstance(error, OffsetOutOfRangeError):
        return Stop(
            StopCause.OFFSET_GONE,
            offset,
            f"{name_of(partition)} stopped: the broker has no offset {offset} any more (or not"
            f" yet), so events may be missing. It was not jumped over. {SEE}",
        )
    return Stop(
        StopCause.UNDECODABLE,
        offset,
        f"{name_of(partition)} stopped at offset {offset}: the client cannot decode what stands"
        f" there ({type(error).__name__}). Its neighbours before it are applied, nothing after it"
        f" is. {SEE}",
    )


def is_of_a_record(error: Exception) -> bool:
    """Whether it is over what a partition holds, or does not hold, at the offset asked for.

    A codec may raise anything over broken bytes; but so may a client that is being closed or has a
    bug. `_unpack_records` is the client's one way from bytes to records.
    """
    if isinstance(error, OF_ONE_PARTITION):
        return True
    if isinstance(error, KafkaError):
        return False
    return any(
        frame.f_code.co_name == "_unpack_records" for frame, _ in walk_tb(error.__traceback__)
    )


def name_of(partition: TopicPartition) -> str:
    return f"{partition.topic}-{partition.partition}"
