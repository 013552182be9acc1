"""`make bench`: how fast the service is, beside what bounds it and what one would first write.

All of it runs on a real broker and a real database of this machine, in one go: the ratios hold
where single figures are noisy.
"""

import argparse
import os
import platform
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from service.stack import Stack
from tests.benchmarks.claims import Bench, ClaimFigures, measure
from tests.benchmarks.reports import Made, measure_reports
from tests.benchmarks.workload import Workload

MEMORY_LIMIT_MB = 300


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=Workload.events)
    parser.add_argument("--providers", type=int, default=Workload.providers)
    parser.add_argument("--months", type=int, default=Workload.months)
    given = parser.parse_args()
    workload = Workload(given.events, given.providers, given.months)
    console = Console()
    with Stack(progress=lambda text: print(text, file=sys.stderr)) as stack:  # noqa: T201
        console.print(
            f"{workload.events:,} events, {workload.providers:,} providers,"
            f" {workload.months} months; {os.cpu_count()} cores, Python {platform.python_version()}"
        )
        bench = Bench(stack)
        show(measure(bench, workload), console)
        show_reports(measure_reports(bench), console)


def show(figures: ClaimFigures, console: Console) -> None:
    backlog, floor, again = figures.backlog, figures.floor, figures.redelivery
    table = Table("", "measured", "events/s", "ratio", "must be", "peak MB", title="Claims")
    rows = [
        ("a", "service, from backlog", backlog.rate, "", "", backlog.peak_mb),
        ("b", "floor: stored, not counted", floor.rate, f"a/b {backlog.rate / floor.rate:.2f}",
         "0.40", floor.peak_mb),
        ("c", "plain consumer", figures.plain_rate, f"a/c {backlog.rate / figures.plain_rate:.0f}",
         "20", None),
        ("d", "redelivery", again.rate, f"d/a {again.rate / backlog.rate:.1f}", "2", again.peak_mb),
    ]  # fmt: skip
    for name, what, rate, ratio, bound, peak in rows:
        memory = "" if peak is None else f"{peak:.0f}"
        table.add_row(name, what, f"{rate:,.0f}", ratio, bound, memory)
    console.print(table)
    console.print(
        f"e  publish to visible at 500 events/s: p50 {figures.latency_p50 * 1000:.0f} ms,"
        f" p99 {figures.latency_p99 * 1000:.0f} ms (must be under 1,000),"
        f" most {figures.latency_max * 1000:.0f} ms"
    )
    console.print(
        f"a: {backlog.batches} batches, {backlog.cpu_seconds:.1f} s of the service's CPU in"
        f" {backlog.seconds:.1f} s; memory must be under {MEMORY_LIMIT_MB} MB"
    )


def show_reports(made: Sequence[Made], console: Console) -> None:
    table = Table("", "seconds", "must be", "peak MB", "a minute", title="Reports")
    for one in made:
        each = one.reports > 1
        table.add_row(
            f"{one.reports} {one.what}" if each else one.what,
            f"{one.seconds:.2f}",
            f"{one.most_seconds:g}",
            f"{one.peak_mb:.0f}",
            f"{one.reports / one.seconds * 60:,.0f}" if each else "",
        )
    console.print(table)


if __name__ == "__main__":
    main()
