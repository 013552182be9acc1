"""The console's first page and `/metrics`, while events arrive: how long they take, how large the
page is with all that it brings along."""

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import Any

import httpx
import psutil
from rich.console import Console

from service.settings import Settings
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.http.reading import ADDRESS, answers
from tests.benchmarks.latency import publish, service, watch
from tests.benchmarks.processes import HERE, program
from tests.benchmarks.workload import Workload, fill_topics, topics_named
from tests.harness.http import free_address

RATE = 1_000
SECONDS = 30
TIMES = 100  # whose CPU is told: a process tells it in hundredths of a second
PAUSE_SECONDS = 0.25  # between two requests: they are measured, and are to be no load
MOST_MS, MOST_KB, MOST_METRICS_MS = 100, 150, 20
BROUGHT = re.compile(r'(?:href|src)="(/console/static/[^"]+)"')


@dataclass(frozen=True)
class Pages:
    """Seconds of each request beside events; seconds of CPU of one, by a process that does nothing
    else; and bytes."""

    page: Sequence[float]
    metrics: Sequence[float]
    page_cpu: float
    metrics_cpu: float
    page_bytes: int
    all_bytes: int


def measure_console(bench: Bench) -> Pages:
    environment = bench.environment("console") | topics_named("console")
    environment[ADDRESS] = free_address()
    return asyncio.run(_measured(settings_of(environment), environment))


async def _measured(settings: Settings, environment: dict[str, str]) -> Pages:
    url = f"http://{environment[ADDRESS]}"
    await fill_topics(settings, ())
    sent: dict[Any, float] = {}
    events = [*islice(Workload().history(), RATE * SECONDS)]
    async with (
        service(environment, [program(HERE), "run", "--only", "claims"]),
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client,
    ):
        await answers(environment)
        page = (await client.get("/console/")).raise_for_status()
        brought = {path: await client.get(path) for path in set(BROUGHT.findall(page.text))}
        sizes = [len(each.raise_for_status().content) for each in brought.values()]
        if not sizes:
            raise AssertionError("the page brings nothing along: what was measured is nothing")
        pages, scrapes = list[float](), list[float]()
        async with asyncio.TaskGroup() as group:
            publishing = group.create_task(publish(settings, RATE, events, sent))
            group.create_task(watch(settings, publishing, sent, {}))
            while not publishing.done():
                pages.append(await _seconds(client, "/console/"))
                await asyncio.sleep(PAUSE_SECONDS)
                scrapes.append(await _seconds(client, "/metrics"))
                await asyncio.sleep(PAUSE_SECONDS)
        last = len((await client.get("/console/")).content)
        page_cpu, metrics_cpu = await _cpu(environment)
    return Pages(pages, scrapes, page_cpu, metrics_cpu, last, last + sum(sizes))


async def _cpu(environment: dict[str, str]) -> Sequence[float]:
    apart = {**environment, ADDRESS: free_address()}
    found = []
    async with (
        service(apart, [program(HERE), "run", "--only", "http"]) as process,
        httpx.AsyncClient(base_url=f"http://{apart[ADDRESS]}", timeout=60) as client,
    ):
        await answers(apart)
        served = psutil.Process(process.pid)
        for path in ("/console/", "/metrics"):
            await _seconds(client, path)  # the first loads what it needs
            before = served.cpu_times()
            for _ in range(TIMES):
                await _seconds(client, path)
            after = served.cpu_times()
            found.append((after.user + after.system - before.user - before.system) / TIMES)
    return found


async def _seconds(client: httpx.AsyncClient, path: str) -> float:
    began = time.monotonic()
    (await client.get(path)).raise_for_status()
    return time.monotonic() - began


def show_console(found: Pages, console: Console) -> None:
    for what, seconds, cpu, must in (
        ("the console's first page", found.page, found.page_cpu, MOST_MS),
        ("/metrics", found.metrics, found.metrics_cpu, MOST_METRICS_MS),
    ):
        milliseconds = [each * 1000 for each in seconds]
        console.print(
            f"{what} beside {RATE:,} events/s: {median(milliseconds):.1f} ms,"
            f" {max(milliseconds):.0f} ms at most of {len(seconds)} (must be under {must} ms);"
            f" {cpu * 1000:.1f} ms of CPU each"
        )
    console.print(
        f"the page is {found.page_bytes / 1000:.0f} kB, {found.all_bytes / 1000:.0f} kB with all"
        f" that it brings along, uncompressed (must be under {MOST_KB} kB)"
    )
