"""Where a partition is read from, by what Kafka and the database know of it."""

from collections.abc import Sequence
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from consumers.engine import offsets
from consumers.engine.offsets import FormerGroups, start_offsets
from repositories.postgres.database import Database

PARTITION, NEIGHBOUR = TopicPartition("topic", 0), TopicPartition("topic", 1)
UNUSED = Database("postgresql://nobody@localhost/nothing")

Both = tuple[int | None, int | None]  # what Kafka has, and what the database has


class Consumer:
    """What the client says of the partitions."""

    def __init__(self, committed: dict[TopicPartition, int | None], earliest: int) -> None:
        self._committed = committed
        self._earliest = earliest

    async def committed(self, partition: TopicPartition) -> int | None:
        return self._committed[partition]

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[object, int]:
        return dict.fromkeys(partitions, self._earliest)


class Former:
    """What the groups of before have; and what of it was asked for."""

    def __init__(self, both: Both) -> None:
        self._both = both
        self.asked: list[TopicPartition] = []

    async def offsets(self, _: Database, partitions: Sequence[TopicPartition]) -> dict[Any, Both]:
        self.asked += partitions
        return dict.fromkeys(partitions, self._both)


async def starts(
    monkeypatch: pytest.MonkeyPatch,
    known: dict[TopicPartition, Both],
    earliest: int,
    former: Former | None = None,
    unsent: Sequence[int] = (),
) -> dict[TopicPartition, int]:
    async def stored_offsets(*_where: object) -> dict[tuple[str, int], int]:
        return {tuple(at): stored for at, (_, stored) in known.items() if stored is not None}

    async def unsent_letters(*_where: object) -> dict[tuple[str, int], Sequence[int]]:
        return {tuple(PARTITION): unsent} if unsent else {}

    monkeypatch.setattr(offsets, "stored_offsets", stored_offsets)
    monkeypatch.setattr(offsets, "unsent_letters", unsent_letters)
    consumer = Consumer({at: committed for at, (committed, _) in known.items()}, earliest)
    groups = cast("FormerGroups | None", former)
    found = await start_offsets(consumer, UNUSED, "group", list(known), groups)
    assert {at: start.is_new for at, start in found.items()} == {
        at: stored is None for at, (_, stored) in known.items()
    }
    return {at: start.offset for at, start in found.items()}


HAVE_AN_OFFSET = [
    pytest.param((50, 50), 0, 50, id="both are the same"),
    pytest.param((90, 50), 0, 50, id="the database was restored from a backup"),
    pytest.param((20, 50), 0, 20, id="an operator set the group back"),
    pytest.param((90, None), 7, 7, id="a new database"),
    pytest.param((None, 50), 7, 7, id="Kafka has forgotten the group"),
    pytest.param((None, 50), 70, 50, id="and the messages too, so the partition must stop"),
    pytest.param((40, 50), 70, 40, id="a lost offset is not jumped over"),
]
CASES = [*HAVE_AN_OFFSET, pytest.param((None, None), 7, 7, id="a new group")]


@pytest.mark.parametrize(("known", "earliest", "start"), CASES)
async def test_reading_starts(
    monkeypatch: pytest.MonkeyPatch, known: Both, earliest: int, start: int
) -> None:
    assert await starts(monkeypatch, {PARTITION: known}, earliest) == {PARTITION: start}


@pytest.mark.parametrize(("known", "earliest", "start"), CASES)
async def test_a_group_without_offsets_starts_as_the_former_would(
    monkeypatch: pytest.MonkeyPatch, known: Both, earliest: int, start: int
) -> None:
    """So at the lower of its two."""
    found = await starts(monkeypatch, {PARTITION: (None, None)}, earliest, Former(known))
    assert found == {PARTITION: start}


@pytest.mark.parametrize(("known", "earliest", "start"), HAVE_AN_OFFSET)
async def test_a_former_group_is_not_asked_where_the_new_has_an_offset(
    monkeypatch: pytest.MonkeyPatch, known: Both, earliest: int, start: int
) -> None:
    former = Former((3, 3))
    found = await starts(monkeypatch, {PARTITION: known, NEIGHBOUR: (None, None)}, earliest, former)
    assert found == {PARTITION: start, NEIGHBOUR: 3}
    assert former.asked == [NEIGHBOUR]
    assert await starts(monkeypatch, {PARTITION: known}, earliest, former) == {PARTITION: start}
    assert former.asked == [NEIGHBOUR]


@pytest.mark.parametrize(
    ("unsent", "earliest", "start"),
    [
        pytest.param([30, 40], 0, 30, id="both are there"),
        pytest.param([30, 40], 35, 40, id="the broker has removed one"),
        pytest.param([30, 40], 45, 50, id="it has removed both"),
        pytest.param([70], 0, 50, id="it is yet to be read"),
    ],
)
async def test_a_dead_letter_that_was_never_sent_is_read_again(
    monkeypatch: pytest.MonkeyPatch, unsent: Sequence[int], earliest: int, start: int
) -> None:
    """A process died before it sent them, and an operator set the group forwards."""
    known: dict[TopicPartition, Both] = {PARTITION: (90, 50)}
    assert await starts(monkeypatch, known, earliest, unsent=unsent) == {PARTITION: start}
