"""What is looked at every few seconds: the instance's processes, and the database."""

import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psutil

from tests.harness.deployment import Deployment
from tests.harness.rows import connected

MB = 1024 * 1024
TABLES = """
    SELECT relname, n_live_tup, n_dead_tup, pg_table_size(relid), pg_indexes_size(relid)
    FROM pg_stat_user_tables WHERE schemaname = 'public'
"""
ACTIVITY = """
    SELECT count(*), coalesce(max(extract(epoch FROM now() - xact_start)), 0)
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
        AND pid <> pg_backend_pid()
"""
READ = "SELECT coalesce(sum(next_offset), 0) FROM consumer_offsets WHERE consumer_group = ANY($1)"


class Samples:
    """`series` by name, a value for each sample; `groups` read what is published."""

    def __init__(self, deployment: Deployment, pid: int, groups: Sequence[str]) -> None:
        self.series: dict[str, list[float]] = defaultdict(list)
        self._deployment = deployment
        self._service = psutil.Process(pid)
        self._groups = groups
        self._began = time.monotonic()

    async def take(self, published: int) -> None:
        """One sample, when so many messages have been published."""
        self._add("seconds", time.monotonic() - self._began)
        self._look_at_processes()
        async with connected(self._deployment) as connection:
            for table in await connection.fetch(TABLES):
                self._add_table(*table)
            connections, oldest = await connection.fetchrow(ACTIVITY)
            self._add("connections", connections)
            self._add("oldest transaction, s", oldest)
            self._add("lag, messages", published - await connection.fetchval(READ, self._groups))

    def _look_at_processes(self) -> None:
        found: dict[str, int] = defaultdict(int)
        for process in [self._service, *self._service.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess), process.oneshot():
                found["processes"] += 1
                found["memory, MB"] += process.memory_info().rss
                found["open files"] += process.num_fds()
                found["sockets"] += len(process.net_connections(kind="all"))
                found["threads"] += process.num_threads()
        for name, value in found.items():
            self._add(name, value / MB if name == "memory, MB" else value)

    def _add_table(self, table: str, rows: int, dead: int, size: int, indexes: int) -> None:
        self._add(f"rows: {table}", rows)
        self._add(f"dead rows: {table}", dead)
        self._add(f"size, MB: {table}", size / MB)
        self._add(f"indexes, MB: {table}", indexes / MB)
        self._add(f"bytes a row: {table}", (size + indexes) / rows if rows else 0)

    def _add(self, name: str, value: Any) -> None:
        self.series[name].append(float(value))
