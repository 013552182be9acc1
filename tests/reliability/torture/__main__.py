"""`make torture`: break it for some minutes, and check that nothing was lost or doubled.

Everything follows from the seed that is printed: `make torture SEED=…` makes the same workload and
the same schedule of faults again (who is hit in which statement is up to the machine). `LONG=1`
takes an hour or two.
"""

import argparse
import asyncio
import secrets
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from service.local.stack import StackError
from tests import servers
from tests.reliability.torture.faults import schedule
from tests.reliability.torture.machine import Result, torture
from tests.reliability.torture.workload import Size

SHORT, SHORT_FAULTS = Size(events=20_000, reports=60), 30
LONG, LONG_FAULTS = Size(events=120_000, reports=1_000, providers=40), 300


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.torture")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to run it again")
    parser.add_argument("--long", action="store_true", help="the long form")
    parser.add_argument("--faults", type=int, help="so many of them")
    parser.add_argument("--events", type=int, help="so many messages")
    parser.add_argument("--reports", type=int, help="so many report requests")
    given = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    usual = LONG if given.long else SHORT
    size = Size(given.events or usual.events, given.reports or usual.reports, usual.providers)
    faults = given.faults or (LONG_FAULTS if given.long else SHORT_FAULTS)
    _say(f"seed {seed}: {size.events:,} messages, {size.reports:,} reports, {faults} faults")
    try:
        with (
            servers.own_kafka() as broker,
            servers.own_postgres() as server,
            servers.fresh_database(server.url) as url,
            TemporaryDirectory(prefix="claim-analytics-torture-") as folder,
        ):
            running = torture(
                broker, server, url, Path(folder), seed, size, schedule(seed, faults), _say
            )
            result = asyncio.run(running)
    except StackError as error:
        sys.exit(f"The servers cannot be started here: {error}")
    _say(report(seed, result))
    return 1 if result.findings else 0


def report(seed: int, result: Result) -> str:
    """What was done and what came of it, for people."""
    tally = result.workload.tally
    duplicates, disorder = tally.duplicates / tally.messages, result.workload.disorder
    lines = [
        "",
        f"seed {seed}, {result.seconds:,.0f} seconds",
        f"{tally.messages:,} messages of claims and the coach:",
        f"  {tally.events:,} events of {tally.claims:,} claims, {tally.suggestions:,} of the coach",
        f"  {tally.duplicates:,} duplicates ({duplicates:.0%}), {tally.garbage.total():,} garbage",
        f"  {disorder:.0%} of the events out of order",
        f"{len(result.workload.reports):,} reports",
        f"{result.kills} processes ended by SIGKILL",
        *(f"  {count:4} {name}" for name, count in sorted(result.faults.items())),
        "crash points met:",
        *(f"  {count:4} {name}" for name, count in sorted(result.crash_points.items())),
        "",
        *(f"FOUND: {finding}" for finding in result.findings),
        f"{len(result.findings)} findings."
        if result.findings
        else "Nothing lost, nothing doubled.",
    ]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # it is a program


if __name__ == "__main__":
    sys.exit(main())
