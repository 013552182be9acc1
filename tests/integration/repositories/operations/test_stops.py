"""What members say of partitions that stopped: who said it, since when, and whether it still is."""

from dataclasses import replace

from asyncpg import Connection

from repositories.operations.stops import (
    CONFIRMED_SECONDS,
    StoppedPartition,
    known_stops,
    tell_stops,
)
from repositories.postgres.database import Database
from repositories.vocabulary import StopCause

STOP = StoppedPartition("group", "topic", 0, 7, StopCause.UNDECODABLE, "why")


async def test_a_stop_is_known_since_it_began_and_by_whom_it_was_confirmed_last(
    database: Database, observer: Connection
) -> None:
    await tell_stops(database, "one", [STOP], [])
    [first] = await known_stops(database, ["group"])
    await tell_stops(database, "another", [STOP, replace(STOP, partition=1)], [])
    again, other = await known_stops(database, ["group", "none"])
    assert (first.instance, again.instance, other.stop.partition) == ("one", "another", 1)
    assert first.stop == again.stop == STOP
    assert first.stopped_at == again.stopped_at < again.confirmed_at
    await tell_stops(database, "another", [replace(STOP, next_offset=9)], [])
    moved, _ = await known_stops(database, ["group"])
    assert (moved.stop.next_offset, moved.stopped_at > again.stopped_at) == (9, True)
    assert await known_stops(database, ["another group"]) == []


async def test_what_nobody_has_confirmed_for_a_while_is_hearsay_and_who_reads_on_removes_it(
    database: Database, observer: Connection
) -> None:
    await tell_stops(database, "one", [STOP, replace(STOP, partition=1)], [])
    await observer.execute(
        "UPDATE stopped_partitions SET confirmed_at = now() - make_interval(secs => $1)"
        " WHERE partition = 0",
        CONFIRMED_SECONDS + 1,
    )
    assert [one.confirmed for one in await known_stops(database, ["group"])] == [False, True]
    await tell_stops(database, "another", [], [STOP.place])
    [left] = await known_stops(database, ["group"])
    assert left.stop.partition == 1
