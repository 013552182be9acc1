"""`rebuild` and `refresh` of many claims: time, memory, and what live events notice of it."""

import asyncio
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice

import asyncpg
from rich.console import Console
from rich.table import Table

from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.latency import Latency, Place, latency_of, publish, service, watch
from tests.benchmarks.processes import Run, drain, program, timed
from tests.benchmarks.workload import Workload, preload, topics_named

CLAIMS_EACH = 2_000  # of a provider: the largest whose batches must not wait for a second
RATE = 200  # live events a second
LIVE_SECONDS = 30
MOST_SECONDS_BESIDE = 1.0
REFRESHED_PROVIDERS = 1_000
LOST = "TRUNCATE claims, analytics_cache"
LARGEST_CLAIMS = 20_000  # of one provider
TOOK = "SELECT extract(epoch FROM ended_at - started_at) FROM operator_actions"
WHY = ("--why", "benchmark")


@dataclass(frozen=True)
class Recomputing:
    """`runs` by what was done, of so many claims; `messages` of a run are claims."""

    claims: int
    providers: int
    runs: Mapping[str, Run]
    alone: Latency
    beside: Latency
    rebuilt_beside: int
    largest_claims: int
    largest_held: float


def measure_recomputing(bench: Bench, claims: int) -> Recomputing:
    """Of claims that were submitted and paid: two events each."""
    workload = Workload(
        events=2 * claims, providers=max(1, claims // CLAIMS_EACH), months=12, payments_alone=True
    )
    environment = bench.environment("recompute") | topics_named("recompute")
    asyncio.run(preload(settings_of(environment), workload))
    drain(bench.stack, workload.events, environment)

    def run(*arguments: str) -> Run:
        return timed(bench.stack, claims, environment, [program(), *arguments, *WHY])

    runs = {"refresh": run("refresh"), "rebuild, all is right": run("rebuild")}
    asyncio.run(_execute(settings_of(environment), LOST))
    runs["rebuild, claims and figures are lost"] = run("rebuild")
    subprocess.run([program(), "verify"], env={**os.environ, **environment}, check=True)
    live = [asyncio.run(_live(environment, workload, part)) for part in range(2)]
    many = Workload(2 * min(claims, 100 * REFRESHED_PROVIDERS), REFRESHED_PROVIDERS)
    runs[f"refresh of {REFRESHED_PROVIDERS:,} providers"] = _apart(
        bench, many, "refresh", lost=False
    )[0]
    largest = Workload(2 * min(claims, LARGEST_CLAIMS), providers=1, months=12)
    _, held = _apart(bench, largest, "rebuild", lost=True)
    return Recomputing(
        claims,
        workload.providers,
        runs,
        live[0][0],
        live[1][0],
        live[1][1],
        largest.events // 2,
        held,
    )


def _apart(bench: Bench, workload: Workload, command: str, *, lost: bool) -> tuple[Run, float]:
    """In a database of its own, where perhaps claims and figures are lost; and how long the action
    took, without the start of its process."""
    payments = replace(workload, payments_alone=True)
    name = f"apart_{workload.providers}"
    environment = bench.environment(name) | topics_named(name)
    settings = settings_of(environment)
    asyncio.run(preload(settings, payments))
    drain(bench.stack, payments.events, environment)
    if lost:
        asyncio.run(_execute(settings, LOST))
    run = timed(bench.stack, payments.events // 2, environment, [program(), command, *WHY])
    return run, asyncio.run(_execute(settings, TOOK))


async def _live(
    environment: Mapping[str, str], workload: Workload, part: int
) -> tuple[Latency, int]:
    """What follows in the history of the same providers, alone or beside rebuilds; how many."""
    settings = settings_of(environment)
    count = RATE * LIVE_SECONDS
    begin = workload.events + part * count
    whole = replace(workload, events=begin + count)
    events = [*islice(whole.history(), begin, None)]
    sent: dict[Place, float] = {}
    seen: dict[Place, float] = {}
    async with service(environment, [program(), "run", "--only", "claims"]):
        publishing = asyncio.create_task(publish(settings, RATE, events, sent))
        rebuilding = asyncio.create_task(_rebuild_until(publishing, environment, wanted=part == 1))
        await watch(settings, publishing, sent, seen)
        times = await rebuilding
    return latency_of(sent, seen), times


async def _rebuild_until(
    over: asyncio.Task[None], environment: Mapping[str, str], *, wanted: bool
) -> int:
    """Rebuild again and again; how often it ended."""
    times = 0
    while wanted and not over.done():
        process = await asyncio.create_subprocess_exec(
            program(), "rebuild", *WHY, env={**os.environ, **environment},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait({ended, over}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.terminate()
        times += await ended == 0
    return times


async def _execute(settings: Settings, statement: str) -> float:
    """The number that it gives, if it gives one."""
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    found = await connection.fetchval(statement)
    await connection.close()
    return float(found or 0)


def show_recomputing(found: Recomputing, console: Console) -> None:
    table = Table(
        "", "claims", "seconds", "claims/s", "µs CPU a claim", "PostgreSQL's", "peak MB",
        title=f"Recomputing {found.claims:,} claims of {found.providers:,} providers",
    )  # fmt: skip
    for name, run in found.runs.items():
        table.add_row(
            name,
            f"{run.messages:,}",
            f"{run.seconds:.1f}",
            f"{run.rate:,.0f}",
            f"{run.cpu_us:.0f}",
            f"{run.postgres_cpu / run.messages * 1e6:.0f}",
            f"{run.peak_mb:.0f}",
        )
    console.print(table)
    for name, one in (("alone", found.alone), ("beside rebuilds", found.beside)):
        p50, p99, most = (1000 * seconds for seconds in (one.p50, one.p99, one.most))
        console.print(
            f"{RATE} events/s {name}, publish to visible: {p50:.0f} ms in the median, {p99:.0f} ms"
            f" at the 99th percentile, {most:.0f} ms at most"
        )
    console.print(
        f"the 99th percentile must be under {MOST_SECONDS_BESIDE * 1000:.0f} ms;"
        f" {found.rebuilt_beside} rebuilds ended meanwhile"
    )
    console.print(
        f"of a provider of {found.largest_claims:,} claims, lost with their figures, batches"
        f" wait {found.largest_held:.1f} s at most"
    )
