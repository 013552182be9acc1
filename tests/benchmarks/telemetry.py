"""What numbers and traces cost: CPU an event while both are on, beside neither; and how long a
scrape takes meanwhile.

On: spans go to a collector, whose events came with trace contexts, and `/metrics` is scraped. Off:
neither. In pairs, by turns in which is first, as a shared machine changes from minute to minute.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from uuid import uuid4

import httpx
from rich.console import Console

from service import wiring
from service.kafka import kafka_admin, publisher
from service.local.stack.server import free_ports
from service.settings import Settings
from service.topics import create_missing_topics
from tests.benchmarks.claims import Bench, settings_of
from tests.benchmarks.processes import HERE, Run, drain, program
from tests.benchmarks.workload import TOPICS, Workload, message, topics_named
from tests.harness.collector import span_collector

PAIRS = 10
FEW, STARTS = 1_000, 3  # events, and pairs of them
OFF, ON = 0, 1  # in a pair
SERVE = Path(__file__).with_name("serve_until.py")
# Of ten differences the second least and the second greatest: their median lies between them with
# a probability of 98 %, whatever their distribution.
WITHIN = slice(1, -1)
MOST_SHARE = 0.03
MOST_MS = 20
SCRAPE_SECONDS = 2.0
TRACED_EVERY = 10  # events that share a trace, as those of one request would


@dataclass(frozen=True)
class Cost:
    """Pairs of runs without and with, and the seconds of each scrape. `starts` are pairs of a few
    events: what a process takes to start, and to load what traces need, is no event's cost."""

    starts: Sequence[tuple[Run, Run]]
    pairs: Sequence[tuple[Run, Run]]
    scrapes: Sequence[float]

    def shares(self, cpu: Callable[[Run], float]) -> list[float]:
        """By which share of all CPU an event costs more, pair by pair, the least first."""
        start_off, start_on = (median(cpu(one[side]) for one in self.starts) for side in (OFF, ON))
        all_of_start = median(_all(off) for off, _ in self.starts)
        return sorted(
            ((cpu(on) - start_on) - (cpu(off) - start_off)) / (_all(off) - all_of_start)
            for off, on in self.pairs
        )


def _all(run: Run) -> float:
    return run.service_cpu + run.postgres_cpu


def _own(run: Run) -> float:
    """The service's process does all of the counting, and the database's CPU, which is three
    quarters, changes more from run to run than that is."""
    return run.service_cpu


def measure_numbers(bench: Bench, workload: Workload, against: Path | None) -> Cost:
    """`against` is measured in place of this checkout with both off: the cost of counting too."""
    few = replace(workload, events=FEW)
    scrapes = list[float]()
    starts = _pairs(bench, few, topics_named("few"), against, [], STARTS)
    pairs = _pairs(bench, workload, topics_named("numbers"), against, scrapes, PAIRS)
    if not scrapes:
        raise AssertionError("nothing was scraped: what was measured is nothing")
    return Cost(starts, pairs, scrapes)


def _pairs(
    bench: Bench,
    workload: Workload,
    topics: Mapping[str, str],
    against: Path | None,
    scrapes: list[float],
    count: int,
) -> Sequence[tuple[Run, Run]]:
    asyncio.run(_preload(settings_of({**bench.environment("preload"), **topics}), workload))

    def measured(environment: Mapping[str, str], checkout: Path = HERE) -> Run:
        command = [sys.executable, "-P", str(SERVE), str(workload.events), program(checkout)]
        return drain(bench.stack, workload.events, environment, command, checkout=checkout)

    def off() -> Run:
        return measured({**bench.environment("off", against or HERE), **topics}, against or HERE)

    def on() -> Run:
        address = f"127.0.0.1:{free_ports(1)[0]}"
        environment = {**bench.environment("on"), **topics}
        with span_collector() as collector, _scraping(address, scrapes):
            environment |= {
                "CLAIM_ANALYTICS_TRACES": "true",
                "CLAIM_ANALYTICS_HTTP_ADDRESS": address,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            }
            run = measured(environment)
            if not any(span.links for span in collector.spans("batch")):
                raise AssertionError("no span links to its events: what was measured is nothing")
        return run

    pairs = []
    for number in range(count):
        if number % 2:
            with_both = on()
            pairs.append((off(), with_both))
        else:
            pairs.append((off(), on()))
    return pairs


async def _preload(settings: Settings, workload: Workload) -> None:
    connection = wiring.kafka_connection(settings)
    async with kafka_admin(connection) as admin:
        await create_missing_topics(admin, settings, TOPICS)
    async with publisher(connection) as publishing:
        header = ("", b"")
        for number, event in enumerate(workload.history()):
            if number % TRACED_EVERY == 0:
                header = ("traceparent", f"00-{uuid4().hex}-00f067aa0ba902b7-01".encode())
            plain = message(settings, event)
            await publishing.send(replace(plain, headers=[*plain.headers, header]))


@contextmanager
def _scraping(address: str, seconds: list[float]) -> Iterator[None]:
    """Scrape every few seconds, from a thread, and note how long each took."""
    over = threading.Event()
    client = httpx.Client(base_url=f"http://{address}", trust_env=False)

    def scrape() -> None:
        while not over.wait(SCRAPE_SECONDS):
            began = time.monotonic()
            try:
                client.get("/metrics").raise_for_status()
            except httpx.TransportError:
                continue  # it has not begun, or has ended
            seconds.append(time.monotonic() - began)

    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        client.close()


def show_numbers(cost: Cost, console: Console) -> None:
    for what, cpu in (("of the process alone", _own), ("of all", _all)):
        shares = cost.shares(cpu)
        within = shares[WITHIN]
        console.print(
            f"numbers and traces, {what}: {median(shares):+.1%} of all CPU an event,"
            f" {within[0]:+.1%} to {within[-1]:+.1%} (median of {len(shares)} pairs, its interval"
            f" of 98 %; must be under {MOST_SHARE:.0%})"
        )
    console.print(
        f"off {median(off.cpu_us for off, _ in cost.pairs):.1f} µs, on"
        f" {median(on.cpu_us for _, on in cost.pairs):.1f} µs an event, service and PostgreSQL"
    )
    if cost.scrapes:
        milliseconds = sorted(each * 1000 for each in cost.scrapes)
        console.print(
            f"/metrics during that: {median(milliseconds):.0f} ms, {milliseconds[-1]:.0f} ms at"
            f" most of {len(milliseconds)} (must be under {MOST_MS} ms)"
        )
