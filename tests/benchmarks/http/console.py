"""The console's first page and `/metrics`, from a process that serves HTTP alone and from one that
applies a thousand events a second: how long they take, how large the page is with all that it
brings along."""

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
PAUSE_SECONDS = 0.25  # between two requests
MOST_MS, MOST_KB, MOST_METRICS_MS = 100, 150, 20
BROUGHT = re.compile(r'(?:href|src)="(/console/static/[^"]+)"')


@dataclass(frozen=True)
class Alone:
    """Seconds of each request to a process that serves HTTP alone, and of CPU of one."""

    seconds: Sequence[float]
    cpu: float


@dataclass(frozen=True)
class Pages:
    """Seconds of each request beside events, the same alone, and bytes."""

    page: Sequence[float]
    metrics: Sequence[float]
    page_alone: Alone
    metrics_alone: Alone
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
                await asyncio.sleep(PAUSE_SECONDS)  # they are to be no load
                scrapes.append(await _seconds(client, "/metrics"))
                await asyncio.sleep(PAUSE_SECONDS)  # they are to be no load
        last = len((await client.get("/console/")).content)
    alone = [await _alone(environment, path) for path in ("/console/", "/metrics")]
    return Pages(pages, scrapes, alone[0], alone[1], last, last + sum(sizes))


async def _alone(environment: dict[str, str], path: str) -> Alone:
    apart = {**environment, ADDRESS: free_address()}
    async with (
        service(apart, [program(HERE), "run", "--only", "http"]) as process,
        httpx.AsyncClient(base_url=f"http://{apart[ADDRESS]}", timeout=60) as client,
    ):
        await answers(apart)
        served = psutil.Process(process.pid)
        await _seconds(client, path)  # the first loads what it needs
        before = served.cpu_times()
        seconds = [await _seconds(client, path) for _ in range(TIMES)]
        after = served.cpu_times()
    used = after.user + after.system - before.user - before.system
    return Alone(seconds, used / TIMES)


async def _seconds(client: httpx.AsyncClient, path: str) -> float:
    began = time.monotonic()
    (await client.get(path)).raise_for_status()
    return time.monotonic() - began


def show_console(found: Pages, console: Console) -> None:
    for what, beside, alone, must in (
        ("the console's first page", found.page, found.page_alone, MOST_MS),
        ("/metrics", found.metrics, found.metrics_alone, MOST_METRICS_MS),
    ):
        console.print(
            f"{what}: {_told(alone.seconds)} from a process that serves HTTP alone (must be under"
            f" {must} ms), {alone.cpu * 1000:.1f} ms of CPU each; {_told(beside)} from one that"
            f" applies {RATE:,} events/s"
        )
    console.print(
        f"the page is {found.page_bytes / 1000:.0f} kB, {found.all_bytes / 1000:.0f} kB with all"
        f" that it brings along, uncompressed (must be under {MOST_KB} kB)"
    )


def _told(seconds: Sequence[float]) -> str:
    return (
        f"{median(seconds) * 1000:.1f} ms, {max(seconds) * 1000:.0f} ms at most of {len(seconds)},"
    )
