"""Partitions that are read no further until a person decides, as the members that hold them say.

A row outlives its instance, for it is what is known of the partition while nobody reads it. So it
says who confirmed it last, and when; whoever reads the partition on removes it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from repositories.operations.tables import stopped_partitions
from repositories.postgres.database import Database
from repositories.vocabulary import StopCause

CONFIRMED_SECONDS = 30.0  # a row that was not confirmed for longer is hearsay

Place = tuple[str, str, int]  # group, topic, partition
KEY = ("consumer_group", "topic", "partition")


@dataclass(frozen=True)
class StoppedPartition:
    """Where a partition stands, and why; what an instance says of one that it holds."""

    group: str
    topic: str
    partition: int
    next_offset: int
    cause: StopCause
    why: str

    @property
    def place(self) -> Place:
        return self.group, self.topic, self.partition


@dataclass(frozen=True)
class KnownStop:
    """The same, with which instance said it, since when, and whether it said so a moment ago."""

    stop: StoppedPartition
    instance: str
    stopped_at: datetime
    confirmed_at: datetime
    confirmed: bool


async def known_stops(database: Database, groups: Collection[str]) -> list[KnownStop]:
    """What these groups' members have said, in order of topics and partitions."""
    table = stopped_partitions.c
    fresh = table.confirmed_at > sa.func.now() - sa.text(f"interval '{CONFIRMED_SECONDS} s'")
    said = (
        sa.select(stopped_partitions, fresh.label("confirmed"))
        .where(table.consumer_group.in_(groups))
        .order_by(*(table[name] for name in KEY))
    )
    async with database.snapshot() as connection:
        rows = (await connection.execute(said)).all()
    return [
        KnownStop(
            StoppedPartition(
                row.consumer_group, row.topic, row.partition, row.next_offset, row.cause, row.why
            ),
            row.instance,
            row.stopped_at,
            row.confirmed_at,
            row.confirmed,
        )
        for row in rows
    ]


async def tell_stops(
    database: Database,
    instance: str,
    stopped: Sequence[StoppedPartition],
    read_on: Collection[Place],
) -> None:
    """Confirm what this instance holds stopped, and remove what it reads."""
    table = stopped_partitions
    async with database.transaction() as connection:
        if read_on:
            key = sa.tuple_(*(table.c[name] for name in KEY))
            await connection.execute(table.delete().where(key.in_(sorted(read_on))))
        if stopped:
            rows = [
                {
                    **dict(zip(KEY, one.place, strict=True)),
                    "next_offset": one.next_offset,
                    "cause": one.cause,
                    "why": one.why,
                    "instance": instance,
                }
                for one in sorted(stopped, key=lambda one: one.place)
            ]
            told = insert(table).values(rows)
            new = told.excluded
            unchanged = (table.c.next_offset == new.next_offset) & (table.c.cause == new.cause)
            await connection.execute(
                told.on_conflict_do_update(
                    index_elements=KEY,
                    set_={
                        "next_offset": new.next_offset,
                        "cause": new.cause,
                        "why": new.why,
                        "instance": new.instance,
                        "stopped_at": sa.case(
                            (unchanged, table.c.stopped_at), else_=new.stopped_at
                        ),
                        "confirmed_at": sa.func.now(),
                    },
                )
            )
