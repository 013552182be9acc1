"""`make bench`: how fast the service is, beside what bounds it and what one would first write.

All of it runs on a real broker and a real database of this machine, in one go: the ratios hold
where single figures are noisy.
"""

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from service.stack import Stack
from tests.benchmarks.claims import Bench, ClaimFigures, Round, measure
from tests.benchmarks.processes import Run
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
    rounds = figures.rounds
    backlog, backlog_mb = _median_and_peak([one.backlog for one in rounds])
    floor, floor_mb = _median_and_peak([one.floor for one in rounds])
    again, again_mb = _median_and_peak([one.redelivery for one in rounds])
    to_floor = median(one.to_floor for one in rounds)
    to_backlog = median(one.redelivery_to_backlog for one in rounds)
    rows = [
        ("a", "service, from backlog", backlog, "", "", backlog_mb),
        ("b", "floor: stored, not counted", floor, f"a/b {to_floor:.2f}", "0.40", floor_mb),
        ("c", "plain consumer", figures.plain_rate, f"a/c {backlog / figures.plain_rate:.0f}",
         "20", ""),
        ("d", "redelivery", again, f"d/a {to_backlog:.1f}", "2", again_mb),
    ]  # fmt: skip
    table = Table("", "measured", "events/s", "ratio", "must be", "peak MB", title="Claims")
    for name, what, rate, *others in rows:
        table.add_row(name, what, f"{rate:,.0f}", *others)
    console.print(table)
    _show_rounds(rounds, console)
    console.print(
        f"e  publish to visible at 500 events/s: p50 {figures.latency_p50 * 1000:.0f} ms,"
        f" p99 {figures.latency_p99 * 1000:.0f} ms (must be under 1,000),"
        f" most {figures.latency_max * 1000:.0f} ms"
    )
    console.print(f"memory must be under {MEMORY_LIMIT_MB} MB")


def _median_and_peak(runs: Sequence[Run]) -> tuple[float, str]:
    """The median rate in messages a second, and the highest memory in MB, as shown."""
    return median(run.rate for run in runs), f"{max(run.peak_mb for run in runs):.0f}"


def _show_rounds(rounds: Sequence[Round], console: Console) -> None:
    console.print(f"a, b and d are medians of {len(rounds)} rounds, the ratios too:")
    for one in rounds:
        backlog = one.backlog
        console.print(
            f"   a {backlog.rate:,.0f}  b {one.floor.rate:,.0f}  d {one.redelivery.rate:,.0f}"
            f"  a/b {one.to_floor:.2f}  d/a {one.redelivery_to_backlog:.1f};"
            f" a: {backlog.batches} batches, {backlog.cpu_seconds:.1f} s of CPU"
            f" in {backlog.seconds:.1f} s"
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
