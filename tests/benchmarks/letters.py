"""`claim-analytics dlq list` over many letters: what the database takes, and the whole command."""

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping

import asyncpg

from repositories.operations.letter_states import (
    WAITING,
    LetterFilter,
    find_letters,
    grouped_letters,
)
from repositories.postgres.database import Database
from tests.benchmarks.claims import Bench
from tests.benchmarks.processes import HERE, program

LETTERS = 100_000
MOST_SECONDS = 1.0
FILL = """
    INSERT INTO dead_letters (source_topic, source_partition, source_offset, source_timestamp,
        reason, detail, consumer_group, provider_id, claim_id, state)
    SELECT 'claim-' || n % 9, n % 6, n, now(), 'invalid-field',
        'field_' || n % 20 || ': must be a date', 'group', gen_random_uuid(), gen_random_uuid(),
        CASE n % 10 WHEN 0 THEN 'resolved' WHEN 1 THEN 'parked' ELSE 'open' END
    FROM generate_series(1, $1) AS n
"""


def measure_letters(bench: Bench) -> Mapping[str, float]:
    """Seconds for each way to list them."""
    environment = bench.environment("letters")
    found = asyncio.run(_measured(environment["CLAIM_ANALYTICS_DATABASE_URL"]))
    begun = time.perf_counter()
    subprocess.run(
        [program(HERE), "dlq", "list"],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )
    return {**found, "`dlq list`, the whole command": time.perf_counter() - begun}


async def _measured(url: str) -> dict[str, float]:
    connection = await asyncpg.connect(url)
    await connection.execute(FILL, LETTERS)
    await connection.close()
    database = Database(url)
    which = LetterFilter(states=WAITING)
    await grouped_letters(database, LetterFilter(topics=["none"]))  # connects
    found = {
        "groups, in the database": await _seconds(lambda: grouped_letters(database, which)),
        "1,000 letters": await _seconds(lambda: find_letters(database, which, 1000)),
    }
    await database.close()
    return found


async def _seconds(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun
