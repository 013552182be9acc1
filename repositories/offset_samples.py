"""How far reading of each topic was, every twenty seconds, for half a day: what charts are made of.

Each instance that serves the console may take a slot's sample. The first has it, and the others
find it there.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from repositories.operations.tables import offset_samples as samples
from repositories.postgres.database import Database

SLOT_SECONDS = 20
KEPT = timedelta(hours=12)
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

_partitions = (
    sa.func.unnest(samples.c.next_offsets, samples.c.end_offsets)
    .table_valued(
        sa.column("next_offset", sa.BigInteger),
        sa.column("end_offset", sa.BigInteger),
        with_ordinality="number",
    )
    .render_derived("partitions")
)
# Next offsets beyond the end are of a topic that was made anew.
_lag = sa.func.greatest(_partitions.c.end_offset - _partitions.c.next_offset, 0)
_sums = (
    sa.select(
        sa.func.sum(_lag).label("lag"),
        sa.func.sum(_partitions.c.next_offset).label("read"),
        sa.func.sum(_partitions.c.end_offset).label("published"),
    )
    .correlate(samples)
    .lateral("sums")
)


class OffsetSample(NamedTuple):
    """One topic: by partition the next offset to read and the end; `behind_seconds` is of the
    partition that is furthest behind, None where that is not known."""

    topic: str
    next_offsets: Sequence[int]
    end_offsets: Sequence[int]
    behind_seconds: float | None


class TakenSample(NamedTuple):
    """A sample, and when it was taken."""

    taken_at: datetime
    sample: OffsetSample


class Moment(NamedTuple):
    """What a topic, or one of its partitions, was like in a stretch of time: the most messages that
    waited, and the latest next offset and end (sums, of a topic)."""

    topic: str
    taken_at: datetime
    lag: int
    read: int
    published: int
    behind_seconds: float | None


async def is_sampled(database: Database) -> bool:
    """Whether this slot has its sample already."""
    there = sa.select(sa.exists().where(samples.c.slot == _slot()))
    async with database.snapshot() as connection:
        return bool(await connection.scalar(there))


async def keep_samples(database: Database, taken: Sequence[OffsetSample]) -> None:
    """Write this slot's, unless another instance has, and drop what is older than half a day."""
    rows = [sample._asdict() | {"slot": _slot()} for sample in taken]
    old = samples.delete().where(samples.c.slot < sa.func.now() - KEPT)
    async with database.transaction() as connection:
        if rows:
            await connection.execute(insert(samples).values(rows).on_conflict_do_nothing())
        await connection.execute(old)


async def samples_before(database: Database, seconds: float) -> Mapping[str, TakenSample]:
    """By topic, the newest that was taken so many seconds ago or earlier."""
    then = sa.func.now() - timedelta(seconds=seconds)
    newest = sa.select(sa.func.max(samples.c.slot)).where(samples.c.slot <= then)
    columns = (samples.c[name] for name in ("taken_at", *OffsetSample._fields))
    found = sa.select(*columns).where(samples.c.slot == newest.scalar_subquery())
    async with database.snapshot() as connection:
        rows = await connection.execute(found)
        return {row.topic: TakenSample(row.taken_at, OffsetSample(*row[1:])) for row in rows}


async def history(database: Database, since: timedelta, step: timedelta) -> Sequence[Moment]:
    """Of each topic, in order of time: a moment for each stretch of `step` that has a sample."""
    stretch = sa.func.date_bin(step, samples.c.slot, EPOCH)
    moments = (
        sa.select(
            samples.c.topic,
            sa.func.max(samples.c.taken_at),
            sa.func.max(_sums.c.lag),
            sa.func.max(_sums.c.read),
            sa.func.max(_sums.c.published),
            sa.func.max(samples.c.behind_seconds),
        )
        .select_from(samples.join(_sums, sa.true()))
        .where(samples.c.slot > sa.func.now() - since)
        .group_by(samples.c.topic, stretch)
        .order_by(sa.func.max(samples.c.slot))
    )
    async with database.snapshot() as connection:
        return [_moment(row) for row in await connection.execute(moments)]


async def partition_history(
    database: Database, topic: str, since: timedelta, step: timedelta
) -> Mapping[int, Sequence[Moment]]:
    """The same of each partition of one topic; `behind_seconds` is not known of it."""
    stretch = sa.func.date_bin(step, samples.c.slot, EPOCH)
    moments = (
        sa.select(
            _partitions.c.number - 1,
            sa.func.max(samples.c.taken_at),
            sa.func.max(_lag),
            sa.func.max(_partitions.c.next_offset),
            sa.func.max(_partitions.c.end_offset),
            sa.null(),
        )
        .select_from(samples.join(_partitions, sa.true()))
        .where(samples.c.topic == topic, samples.c.slot > sa.func.now() - since)
        .group_by(_partitions.c.number, stretch)
        .order_by(sa.func.max(samples.c.slot))
    )
    found: dict[int, list[Moment]] = {}
    async with database.snapshot() as connection:
        for row in await connection.execute(moments):
            found.setdefault(int(row[0]), []).append(_moment((topic, *row[1:])))
    return found


def _moment(row: Any) -> Moment:
    topic, taken_at, lag, read, published, behind = row
    return Moment(topic, taken_at, int(lag), int(read), int(published), behind)


def _slot() -> sa.Function[Any]:
    return sa.func.date_bin(timedelta(seconds=SLOT_SECONDS), sa.func.now(), EPOCH)
