"""What events leave on the database's disk: tables, indexes, and the log that is written ahead."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from rich.console import Console
from rich.table import Table

from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.processes import drain
from tests.benchmarks.workload import Workload, preload, topics_named

TABLES = """
SELECT relname AS name, reltuples::bigint AS rows, pg_table_size(oid) AS heap,
       pg_indexes_size(oid) AS indexes
  FROM pg_class
 WHERE relkind = 'r' AND relnamespace = current_schema::regnamespace
   AND pg_total_relation_size(oid) > 1000000
 ORDER BY pg_total_relation_size(oid) DESC
"""


@dataclass(frozen=True)
class TableSize:
    """Bytes of a table, and of its indexes."""

    name: str
    rows: int
    heap: int
    indexes: int


@dataclass(frozen=True)
class Sizes:
    """After a drain of `events`; `wal` is in bytes."""

    events: int
    wal: int
    tables: Sequence[TableSize]


def measure_sizes(bench: Bench, workload: Workload) -> Sizes:
    environment = bench.environment("sizes") | topics_named("sizes")
    settings = settings_of(environment)
    asyncio.run(preload(settings, workload))
    before = asyncio.run(_wal(settings))
    drain(bench.stack, workload.events, environment)
    after = asyncio.run(_wal(settings))
    return Sizes(workload.events, after - before, asyncio.run(_tables(settings)))


async def _wal(settings: Settings) -> int:
    """Bytes that the server has written ahead so far."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return int(await connection.fetchval("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
    finally:
        await connection.close()


async def _tables(settings: Settings) -> Sequence[TableSize]:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        await connection.execute("ANALYZE")
        return [TableSize(**dict(row)) for row in await connection.fetch(TABLES)]
    finally:
        await connection.close()


def show_sizes(sizes: Sizes, console: Console) -> None:
    table = Table(
        "table", "rows", "rows/event", "bytes/event", "of them indexes",
        title=f"{sizes.events:,} events on disk; {sizes.wal / sizes.events:,.0f} bytes of WAL each",
    )  # fmt: skip
    for one in sizes.tables:
        table.add_row(
            one.name,
            f"{one.rows:,}",
            f"{one.rows / sizes.events:.2f}",
            f"{(one.heap + one.indexes) / sizes.events:.0f}",
            f"{one.indexes / sizes.events:.0f}",
        )
    console.print(table)
