"""`make torture`: break it for some minutes, and check that nothing was lost or doubled.

Everything follows from the seed that is printed: `make torture SEED=…` makes the same workload and
the same schedule of faults again (who is hit in which statement is up to the machine). `LONG=1`
takes an hour or so.
"""

import argparse
import asyncio
import logging
import secrets
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from service.local.stack import StackError
from tests import servers
from tests.harness.starter import PROGRAM
from tests.reliability.torture.disk import postgres_on_a_disk
from tests.reliability.torture.faults import FAULTS, schedule
from tests.reliability.torture.fleet import Program
from tests.reliability.torture.machine import Result, Schedule, torture, with_bugs
from tests.reliability.torture.seeded_bugs import BUGS
from tests.reliability.torture.wires import wired_kafka
from tests.reliability.torture.workload import Size

SHORT, SHORT_FAULTS = Size(events=20_000, reports=60), 30
LONG, LONG_FAULTS = Size(events=145_000, reports=1_000, providers=40), 225
OFTEN = (*["crashed"] * 6, *["killed"] * 2)  # in the long form, besides: these kill quickly


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.torture")
    parser.add_argument("--seed", type=int, default=None, help="of an earlier run, to run it again")
    parser.add_argument("--long", action="store_true", help="the long form")
    parser.add_argument("--faults", type=int, help="so many of them")
    parser.add_argument("--events", type=int, help="so many messages")
    parser.add_argument("--reports", type=int, help="so many report requests")
    parser.add_argument("--only", choices=FAULTS, action="append", help="this kind of fault")
    parser.add_argument("--bugs", action="store_true", help="test the checker: it must find each")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells of every broken connection
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also of a run in the background
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    if given.bugs:
        return 1 if [bug for bug in BUGS if not _found(bug, seed)] else 0
    usual = LONG if given.long else SHORT
    size = Size(given.events or usual.events, given.reports or usual.reports, usual.providers)
    kinds = [*FAULTS, *OFTEN] if given.long else None
    faults = given.faults or (LONG_FAULTS if given.long else SHORT_FAULTS)
    _say(f"seed {seed}: {size.events:,} messages, {size.reports:,} reports, {faults} faults")
    result = _run(seed, size, schedule(seed, faults, given.only or kinds))
    _say(report(seed, result))
    return 1 if result.findings else 0


def _run(seed: int, size: Size, faults: Schedule, program: Program = (PROGRAM,)) -> Result:
    """On servers of its own."""
    try:
        with (
            wired_kafka() as broker,
            postgres_on_a_disk() as server,
            servers.fresh_database(server.url) as url,
            TemporaryDirectory(prefix="claim-analytics-torture-") as folder,
        ):
            run = torture(broker, server, url, Path(folder), seed, size, faults, program, _say)
            return asyncio.run(run)
    except StackError as error:
        sys.exit(f"The servers cannot be started here: {error}")


def _found(bug: str, seed: int) -> bool:
    """Whether the check that should find the bug does."""
    result = _run(seed, *with_bugs(seed, bug))
    found = any(each.startswith(f"{BUGS[bug].found_by}:") for each in result.findings)
    _say(f"{bug}: {'found by ' + BUGS[bug].found_by if found else f'NOT FOUND {result.findings}'}")
    return found


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
        f"{result.packets:,} packets lost",
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
