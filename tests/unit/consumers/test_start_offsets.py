"""Where a partition is read from, by what Kafka and the database know of it."""

import pytest
from aiokafka import TopicPartition

from consumers import start_offsets
from repositories.database import Database

PARTITION = TopicPartition("topic", 0)
UNUSED = Database("postgresql://nobody@localhost/nothing")


class Consumer:
    """What the client says of the partition."""

    def __init__(self, committed: int | None, earliest: int) -> None:
        self._committed = committed
        self._earliest = earliest

    async def committed(self, _partition: TopicPartition) -> int | None:
        return self._committed

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[object, int]:
        return dict.fromkeys(partitions, self._earliest)


@pytest.mark.parametrize(
    ("committed", "stored", "earliest", "start"),
    [
        pytest.param(50, 50, 0, 50, id="both are the same"),
        pytest.param(90, 50, 0, 50, id="the database was restored from a backup"),
        pytest.param(20, 50, 0, 20, id="an operator set the group back"),
        pytest.param(None, None, 7, 7, id="a new group"),
        pytest.param(90, None, 7, 7, id="a new database"),
        pytest.param(None, 50, 7, 7, id="Kafka has forgotten the group"),
        pytest.param(None, 50, 70, 50, id="and the messages too, so the partition must stop"),
        pytest.param(40, 50, 70, 40, id="a lost offset is not jumped over"),
    ],
)
async def test_reading_starts(
    monkeypatch: pytest.MonkeyPatch,
    committed: int | None,
    stored: int | None,
    earliest: int,
    start: int,
) -> None:
    async def stored_offset(*_where: object) -> int | None:
        return stored

    monkeypatch.setattr(start_offsets, "stored_offset", stored_offset)
    consumer = Consumer(committed, earliest)
    assert await start_offsets.start_offset(consumer, UNUSED, "group", PARTITION) == start
