"""What is over its time is forgotten, and nothing else."""

from datetime import timedelta

from asyncpg import Connection

from repositories.operations.purge import purge_letters, purge_repaired_rows
from repositories.postgres.database import Database

LETTER = """
    INSERT INTO dead_letters (source_topic, source_partition, source_offset, source_timestamp,
        reason, detail, consumer_group, state, first_seen_at, state_since)
    VALUES ('claim-paid', 0, $1, now(), 'invalid-field', 'a field', 'group', $2,
        now() - make_interval(days => $3), now() - make_interval(days => $4))
"""
REPAIR = """
    INSERT INTO repaired_rows (repaired_at, found_by, provider_id, metric_key, period_start)
    VALUES (now() - make_interval(days => $1), 'nightly', gen_random_uuid(), 'claims_paid', now())
"""


async def test_settled_letters_go_by_when_they_were_settled_and_others_by_when_they_came(
    database: Database, observer: Connection
) -> None:
    letters = [
        ("resolved", 400, 91),
        ("resolved", 400, 89),
        ("parked", 91, 91),
        ("lost", 366, 1),
        ("open", 366, 1),
        ("redriven", 366, 1),
        ("open", 364, 364),
        ("redriven", 91, 91),
    ]
    for offset, (state, first, since) in enumerate(letters):
        await observer.execute(LETTER, offset, state, first, since)
    assert await purge_letters(database, timedelta(days=90), timedelta(days=365)) == 4
    rows = await observer.fetch("SELECT source_offset FROM dead_letters ORDER BY 1")
    assert [row["source_offset"] for row in rows] == [1, 3, 6, 7]


async def test_repaired_rows_are_kept_for_so_long(database: Database, observer: Connection) -> None:
    for days in (29, 31):
        await observer.execute(REPAIR, days)
    assert await purge_repaired_rows(database, timedelta(days=30)) == 1
    assert await observer.fetchval("SELECT count(*) FROM repaired_rows") == 1
