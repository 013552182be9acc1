"""`replay` of events that are all known, beside their redelivery to a new consumer group."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

import asyncpg
from rich.console import Console
from rich.table import Table

from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.processes import Run, drain, program, timed
from tests.benchmarks.workload import Workload, preload, topics_named

LEAST_RATIO = 0.9  # of replay to redelivery
WHY = ("--why", "benchmark")
REDELIVERY, REPLAY = "redelivery", "replay"
COMMANDS = {
    REPLAY: (*WHY,),
    "replay --redecode": ("--redecode", *WHY),
}
# From the moment at which it begins to read, as a drain is measured.
SINCE_READING = """
    SELECT extract(epoch FROM ended_at - started_at)::float8
    FROM operator_actions ORDER BY started_at DESC LIMIT 1
"""


def measure_replay(bench: Bench, workload: Workload, rounds: int) -> Sequence[Mapping[str, Run]]:
    """In alternation, round by round."""
    environment = bench.environment("replay") | topics_named("replay")
    settings = settings_of(environment)
    asyncio.run(preload(settings, workload))
    drain(bench.stack, workload.events, environment)
    found = []
    for number in range(rounds):
        again = environment | {
            "CLAIM_ANALYTICS_GROUP_PREFIX": f"{settings.group_prefix}_again_{number}"
        }
        runs = {REDELIVERY: drain(bench.stack, workload.events, again)}
        for name, arguments in COMMANDS.items():
            command = [program(), "replay", *arguments]
            run = timed(bench.stack, workload.events, environment, command)
            runs[name] = replace(run, seconds=asyncio.run(_since_reading(settings)))
        found.append(runs)
    return found


async def _since_reading(settings: Settings) -> float:
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    try:
        return float(await connection.fetchval(SINCE_READING))
    finally:
        await connection.close()


def show_replay(rounds: Sequence[Mapping[str, Run]], console: Console) -> None:
    table = Table(
        "all is known", "events/s", "of redelivery", "must be", "µs CPU", "peak MB",
        title=f"Replay, medians of {len(rounds)} rounds",
    )  # fmt: skip
    for name in rounds[0]:
        ratio = median(one[name].rate / one[REDELIVERY].rate for one in rounds)
        table.add_row(
            name,
            f"{median(one[name].rate for one in rounds):,.0f}",
            f"{ratio:.2f}",
            f"{LEAST_RATIO}" if name == REPLAY else "",
            f"{median(one[name].cpu_us for one in rounds):.1f}",
            f"{max(one[name].peak_mb for one in rounds):.0f}",
        )
    console.print(table)
