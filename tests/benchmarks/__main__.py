"""`make bench`: how fast the service is, beside what bounds it and what one would first write.

All of it runs on a real broker and a real database of this machine, in one go: the ratios hold
where single figures are noisy.
"""

import argparse
import logging
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from service.local.stack import Stack
from tests.benchmarks.cache import Drained, measure_keys, measure_year
from tests.benchmarks.claims import Bench, Round, plain_rate, rounds_against, rounds_of, scale
from tests.benchmarks.http.console import measure_console, show_console
from tests.benchmarks.http.download import measure_download, show_download
from tests.benchmarks.http.reading import measure_reading, show_reading
from tests.benchmarks.latency import LATENCIES, Latency, measure_latency
from tests.benchmarks.letters import LETTERS, MOST_SECONDS, measure_letters
from tests.benchmarks.memory import peaks
from tests.benchmarks.processes import Run
from tests.benchmarks.receipt import measure_receipts, show_receipts
from tests.benchmarks.recompute import measure_recomputing, show_recomputing
from tests.benchmarks.replay import measure_replay, show_replay
from tests.benchmarks.reports import Made, measure_reports
from tests.benchmarks.sizes import measure_sizes, show_sizes
from tests.benchmarks.telemetry import measure_numbers, show_numbers
from tests.benchmarks.workload import Workload

PARTS = (
    *("latency", "backlog", "plain", "scale", "keys", "year", "memory", "reports"),
    *("recompute", "letters", "receipt", "replay", "numbers", "sizes"),
    *("reading", "download", "console"),
)
MIB = 1024 * 1024
MEMORY_LIMIT_MB = 250
# Against the commit before, which had half the keys.
LEAST_RATE, MOST_CPU = "0.75", "1.35"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=Workload.events)
    parser.add_argument("--providers", type=int, default=Workload.providers)
    parser.add_argument("--months", type=int, default=Workload.months)
    parser.add_argument("--claims", type=int, default=1_000_000, help="of the part recompute")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(PARTS), help="some of: %(default)s")
    parser.add_argument(
        "--against",
        type=Path,
        help="another checkout with a .venv of its own, measured in alternation with this one,"
        " on submissions and payments alone",
    )
    given = parser.parse_args()
    parts = given.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"--only: no such part: {', '.join(sorted(unknown))}")
    if given.against and not (given.against / ".venv").is_dir():
        parser.error(f"--against: {given.against} has no .venv: run `make setup` there")
    # A producer retries on new topics until all brokers know them, and says so each time.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    workload = Workload(given.events, given.providers, given.months)
    console = Console(width=max(110, Console().width))
    with Stack(progress=lambda text: print(text, file=sys.stderr)) as stack:  # noqa: T201
        console.print(
            f"{workload.events:,} events, {workload.providers:,} providers,"
            f" {workload.months} months; {os.cpu_count()} cores, Python {platform.python_version()}"
        )
        against = given.against.resolve() if given.against else None
        measure(Bench(stack), workload, parts, given.rounds, against, given.claims, console)


def measure(
    bench: Bench,
    workload: Workload,
    parts: Sequence[str],
    rounds: int,
    against: Path | None,
    claims: int,
    console: Console,
) -> None:
    def backlog() -> None:
        show_rounds(rounds_of(bench, workload, rounds), console)
        if against:
            show_comparison(rounds_against(bench, workload, rounds, against), console)

    def plain() -> None:
        console.print(f"c  a plain consumer: {plain_rate(bench):,.0f} events/s")

    measures: Mapping[str, Callable[[], None]] = {
        # First, while the server is empty but for its own events.
        "latency": lambda: show_latency(measure_latency(bench, rounds, against), console),
        "backlog": backlog,
        "plain": plain,
        "scale": lambda: show_scale(scale(bench, workload, rounds), console),
        "keys": lambda: show_keys(measure_keys(bench, workload, rounds), console),
        "year": lambda: show_state("a year", measure_year(bench, workload), console),
        "memory": lambda: show_peaks(peaks(bench), console),
        "reports": lambda: show_reports(measure_reports(bench), console),
        "replay": lambda: show_replay(measure_replay(bench, workload, rounds), console),
        "recompute": lambda: show_recomputing(measure_recomputing(bench, claims), console),
        "letters": lambda: show_letters(measure_letters(bench), console),
        "numbers": lambda: show_numbers(measure_numbers(bench, workload, against), console),
        "receipt": lambda: show_receipts(measure_receipts(bench, workload), console),
        "reading": lambda: show_reading(measure_reading(bench, rounds), console),
        "download": lambda: show_download(measure_download(bench), console),
        "console": lambda: show_console(measure_console(bench), console),
        "sizes": lambda: show_sizes(measure_sizes(bench, workload), console),
    }
    for part in PARTS:
        if part in parts:
            measures[part]()


def show_rounds(rounds: Sequence[Round], console: Console) -> None:
    title = f"Claims and coach, all keys, medians of {len(rounds)} rounds"
    table = Table("", "measured", "events/s", "µs CPU", "peak MB", title=title)
    floors = [one.floor for one in rounds if one.floor]
    for name, what, runs in (
        ("a", "from backlog", [one.backlog for one in rounds]),
        ("d", "redelivery", [one.redelivery for one in rounds]),
        ("b", "claims stored, not counted", floors),
    ):
        table.add_row(
            name, what,
            f"{median(run.rate for run in runs):,.0f}",
            f"{median(run.cpu_us for run in runs):.1f}",
            f"{max(run.peak_mb for run in runs):.0f}",
        )  # fmt: skip
    console.print(table)
    for one in rounds:
        console.print("   " + _line(one))
    console.print(f"memory must be under {MEMORY_LIMIT_MB} MB")


def show_comparison(rounds: Sequence[tuple[Round, Round]], console: Console) -> None:
    table = Table(
        "", "measured", "events/s", "other's", "ratio", "must be", "µs CPU", "other's", "ratio",
        "must be", "peak MB", title=f"Submissions and payments, medians of {len(rounds)} rounds",
    )  # fmt: skip

    def row(name: str, what: str, run: Callable[[Round], Run], rate: str, cpu: str) -> None:
        pairs = [(run(mine), run(other)) for mine, other in rounds]
        table.add_row(
            name, what,
            f"{median(one.rate for one, _ in pairs):,.0f}",
            f"{median(two.rate for _, two in pairs):,.0f}",
            f"{median(one.rate / two.rate for one, two in pairs):.2f}", rate,
            f"{median(one.cpu_us for one, _ in pairs):.1f}",
            f"{median(two.cpu_us for _, two in pairs):.1f}",
            f"{median(one.cpu_us / two.cpu_us for one, two in pairs):.2f}", cpu,
            f"{max(one.peak_mb for one, _ in pairs):.0f}",
        )  # fmt: skip

    row("a", "from backlog", lambda one: one.backlog, LEAST_RATE, MOST_CPU)
    row("d", "redelivery", lambda one: one.redelivery, "", "")
    console.print(table)
    for one, two in rounds:
        console.print(f"   {_line(one)}; other {_line(two)}")


def _line(one: Round) -> str:
    run = one.backlog
    service, postgres = (cpu / run.messages * 1e6 for cpu in (run.service_cpu, run.postgres_cpu))
    return (
        f"a {run.rate:,.0f}/s (CPU: service {service:.1f} µs, PostgreSQL {postgres:.1f} µs),"
        f" d {one.redelivery.rate:,.0f}/s"
    )


def show_latency(
    found: Mapping[int, Sequence[tuple[Latency, Latency | None]]], console: Console
) -> None:
    table = Table(
        "", "events/s", "p50 ms", "p99 ms", "must be", "most ms", "other's p50", "p99", "most",
        title="Publish to visible, medians",
    )  # fmt: skip

    def milliseconds(side: Sequence[Latency]) -> list[str]:
        if not side:
            return ["", "", ""]
        figures = zip(*((one.p50, one.p99, one.most) for one in side), strict=True)
        return [f"{median(seconds) * 1000:.0f}" for seconds in figures]

    for rate, pairs in found.items():
        p50, p99, most = milliseconds([mine for mine, _ in pairs])
        other = milliseconds([other for _, other in pairs if other])
        bound = f"{LATENCIES[rate] * 1000:.0f}"
        table.add_row("e", f"{rate:,}", p50, p99, bound, most, *other)
    console.print(table)


def show_scale(found: Mapping[int, Sequence[Run]], console: Console) -> None:
    one = median(run.rate for run in found[1])
    for count, runs in found.items():
        rate = median(run.rate for run in runs)
        console.print(
            f"{count} processes on topics of 12 partitions: {rate:,.0f} events/s,"
            f" {rate / one:.2f} of one process; {median(run.cpu_us for run in runs):.1f} µs of CPU"
        )


def show_keys(found: Mapping[str, Sequence[Drained]], console: Console) -> None:
    table = Table(
        "submissions and payments", "keys", "rows written/event", "rows", "events/s", "µs CPU",
        "service", "PostgreSQL", title="What keys cost, medians",
    )  # fmt: skip
    for name, drained in found.items():
        runs = [one.run for one in drained]
        state, messages = drained[0].state, runs[0].messages
        table.add_row(
            name,
            f"{state.keys}",
            f"{state.written / messages:.2f}",
            f"{state.rows:,}",
            f"{median(run.rate for run in runs):,.0f}",
            f"{median(run.cpu_us for run in runs):.1f}",
            f"{median(run.service_cpu for run in runs) / messages * 1e6:.1f}",
            f"{median(run.postgres_cpu for run in runs) / messages * 1e6:.1f}",
        )
    console.print(table)


def show_state(what: str, drained: Drained, console: Console) -> None:
    run, state = drained.run, drained.state
    console.print(
        f"{what}: {run.rate:,.0f} events/s, {run.cpu_us:.1f} µs CPU; analytics_cache has"
        f" {state.rows:,} rows, {state.days:,} of single days; {state.dead:,} dead tuples after"
        f" {state.vacuums} autovacuums; {state.size / MIB:.0f} MiB with indexes;"
        f" {state.written / run.messages:.2f} writes an event,"
        f" {state.in_place / max(1, state.updated):.0%} of updates in place"
    )


def show_peaks(found: Mapping[str, Run], console: Console) -> None:
    for name, run in found.items():
        console.print(f"{name}: {run.peak_mb:.0f} MB at most (must be under {MEMORY_LIMIT_MB})")


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


def show_letters(found: Mapping[str, float], console: Console) -> None:
    console.print(f"{LETTERS:,} dead letters are listed (must be under {MOST_SECONDS:g} s):")
    for what, seconds in found.items():
        console.print(f"   {what}: {seconds:.2f} s")


if __name__ == "__main__":
    main()
