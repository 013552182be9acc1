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
PAUSE_SECONDS = 0.25  # between two requests: they are measured, and are to be no load
MOST_MS, MOST_KB, MOST_METRICS_MS = 100, 150, 20
BROUGHT = re.compile(r'(?:href|src)="(/console/static/[^"]+)"')


@dataclass(frozen=True)
class Pages:
    """Seconds of each request, and bytes."""

    page: Sequence[float]
    metrics: Sequence[float]
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
    return Pages(pages, scrapes, last, last + sum(sizes))


async def _seconds(client: httpx.AsyncClient, path: str) -> float:
    began = time.monotonic()
    (await client.get(path)).raise_for_status()
    return time.monotonic() - began


def show_console(found: Pages, console: Console) -> None:
    for what, seconds, must in (
        ("the console's first page", found.page, MOST_MS),
        ("/metrics", found.metrics, MOST_METRICS_MS),
    ):
        milliseconds = [each * 1000 for each in seconds]
        console.print(
            f"{what} beside {RATE:,} events/s: {median(milliseconds):.1f} ms,"
            f" {max(milliseconds):.0f} ms at most of {len(seconds)} (must be under {must} ms)"
        )
    console.print(
        f"the page is {found.page_bytes / 1000:.0f} kB, {found.all_bytes / 1000:.0f} kB with all"
        f" that it brings along, uncompressed (must be under {MOST_KB} kB)"
    )
