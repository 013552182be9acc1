"""What the figures cost in `analytics_cache`: a key, and a year of rows that come and go by day."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg

from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.processes import Run, drain
from tests.benchmarks.workload import Workload, preload, topics_named

COMMANDS: Mapping[str, Sequence[str] | None] = {
    "all keys": None,
    "the former keys": [sys.executable, "-m", "tests.benchmarks.former_keys"],
}
SPREAD_MONTHS = 12
STATE = """
SELECT c.rows, c.days, c.keys, s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS written,
       s.n_tup_hot_upd AS in_place, s.n_tup_upd AS updated, s.n_dead_tup AS dead,
       s.autovacuum_count AS vacuums, pg_total_relation_size(s.relid) AS size
  FROM pg_stat_user_tables s,
       (SELECT count(*) AS rows, count(*) FILTER (WHERE period_start = period_end) AS days,
               count(DISTINCT metric_key) AS keys FROM analytics_cache) c
 WHERE s.relname = 'analytics_cache'
"""


@dataclass(frozen=True)
class CacheState:
    """The table after a drain; `days` are its rows of single days, `dead` what is left of others
    until it is vacuumed, `written` every insert, update and delete, `size` bytes with indexes."""

    rows: int
    days: int
    keys: int
    written: int
    in_place: int
    updated: int
    dead: int
    vacuums: int
    size: int


@dataclass(frozen=True)
class Drained:
    run: Run
    state: CacheState


def measure_keys(bench: Bench, workload: Workload, rounds: int) -> Mapping[str, Sequence[Drained]]:
    """Submissions and payments with all keys, and with the former ones, in alternation."""
    topics = topics_named("keys")
    payments = replace(workload, payments_alone=True)
    asyncio.run(preload(settings_of(bench.environment("keys") | topics), payments))
    found: dict[str, list[Drained]] = {name: [] for name in COMMANDS}
    for _ in range(rounds):
        for name, command in COMMANDS.items():
            environment = bench.environment("keys") | topics
            found[name].append(_drained(bench, payments.events, environment, command))
    return found


def measure_year(bench: Bench, workload: Workload) -> Drained:
    """All events over a year: days are opened and fall to nothing again and again."""
    environment = bench.environment("year") | topics_named("year")
    over_a_year = replace(workload, months=SPREAD_MONTHS)
    asyncio.run(preload(settings_of(environment), over_a_year))
    return _drained(bench, over_a_year.events, environment)


def _drained(
    bench: Bench,
    events: int,
    environment: Mapping[str, str],
    command: Sequence[str] | None = None,
) -> Drained:
    run = drain(bench.stack, events, environment, command)
    return Drained(run, asyncio.run(_state(settings_of(environment))))


async def _state(settings: Settings) -> CacheState:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return CacheState(**dict(await connection.fetchrow(STATE)))
    finally:
        await connection.close()
