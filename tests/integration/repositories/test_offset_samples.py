"""Samples of how far reading was: one for each slot, and what charts are made of."""

from datetime import UTC, datetime, timedelta

from asyncpg import Connection

from repositories.offset_samples import (
    OffsetSample,
    history,
    is_sampled,
    keep_samples,
    partition_history,
    samples_before,
)
from repositories.postgres.database import Database

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
INSERT = (
    "INSERT INTO offset_samples (slot, topic, taken_at, next_offsets, end_offsets, behind_seconds)"
    " VALUES ($1, $2, $1, $3, $4, $5)"
)


async def sampled(
    observer: Connection, topic: str, *, ago: float, reads: list[int], ends: list[int]
) -> datetime:
    at = datetime.now(UTC) - timedelta(seconds=ago)
    await observer.execute(INSERT, at, topic, reads, ends, 1.5)
    return at


async def test_of_instances_that_sample_at_once_the_first_has_the_slot(
    database: Database, observer: Connection
) -> None:
    before = await is_sampled(database)
    await keep_samples(database, [OffsetSample("a", [1, 2], [3, 4], 5.0)])
    await keep_samples(database, [OffsetSample("a", [9, 9], [9, 9], None)])
    found = await observer.fetch("SELECT slot, next_offsets FROM offset_samples")
    # Two rows only where the clock has come to the next slot between the two.
    assert (before, await is_sampled(database)) == (False, True)
    assert found[0]["next_offsets"] == [1, 2]
    assert len({row["slot"] for row in found}) == len(found)


async def test_samples_are_kept_for_half_a_day(database: Database, observer: Connection) -> None:
    await sampled(observer, "old", ago=12 * 3_600 + 60, reads=[1], ends=[1])
    await sampled(observer, "kept", ago=12 * 3_600 - 60, reads=[1], ends=[1])
    await keep_samples(database, [])
    assert await observer.fetchval("SELECT array_agg(topic) FROM offset_samples") == ["kept"]


async def test_the_newest_that_is_old_enough_is_compared_with(
    database: Database, observer: Connection
) -> None:
    for ago in (20, 350, 320, 400):
        await sampled(observer, "a", ago=ago, reads=[ago], ends=[ago])
    assert (await samples_before(database, 300))["a"].sample.end_offsets == [320]
    assert await samples_before(database, 500) == {}


async def test_a_chart_has_a_moment_for_each_stretch_of_each_topic(
    database: Database, observer: Connection
) -> None:
    minute = (datetime.now(UTC) - timedelta(minutes=5)).replace(second=0, microsecond=0)
    for seconds, reads, ends in [(0, [1, 5], [4, 5]), (20, [2, 6], [9, 4]), (60, [9, 9], [9, 9])]:
        at = minute + timedelta(seconds=seconds)
        await observer.execute(INSERT, at, "a", reads, ends, float(seconds))
    await sampled(observer, "a", ago=7_200, reads=[0], ends=[0])
    found = [tuple(moment)[1:] for moment in await history(database, HOUR, MINUTE)]
    second = minute + timedelta(seconds=20)
    third = minute + timedelta(seconds=60)
    assert found == [(second, 7, 8, 13, 20.0), (third, 0, 18, 18, 60.0)]
    each = await partition_history(database, "a", HOUR, MINUTE)
    assert {number: [m.lag for m in moments] for number, moments in each.items()} == {
        0: [7, 0],
        1: [0, 0],
    }
    assert await partition_history(database, "b", HOUR, MINUTE) == {}
