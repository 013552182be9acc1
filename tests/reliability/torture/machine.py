"""One run: the workload is published beside the faults, all is read, and then it is checked."""

import asyncio
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from tempfile import gettempdir
from urllib.parse import urlsplit

from service.local.stack.postgres import PostgresServer
from tests.harness.deployment import Deployment
from tests.harness.kafka import producer
from tests.harness.operations import rows
from tests.harness.reports import QUICK, all_told, deploy_reports
from tests.harness.starter import PROGRAM
from tests.harness.waiting import until_async
from tests.reliability.torture import seeded_bugs
from tests.reliability.torture.checker import findings
from tests.reliability.torture.erasures import SURELY
from tests.reliability.torture.faults import FAULTS
from tests.reliability.torture.fleet import RUN, Fleet, Program
from tests.reliability.torture.seeded_bugs import BUGS
from tests.reliability.torture.server_faults import STATEMENT_SECONDS
from tests.reliability.torture.stage import NotHere, Stage
from tests.reliability.torture.wires import Wire, WiredBroker, wire
from tests.reliability.torture.workload import Size, Workload, make_workload, publish

TINY = Size(events=500, reports=5, providers=4)  # a report of each kind
AGES = 600.0  # seconds: a deadline for what takes its time
REPORTS_SECONDS = 120.0, 0.5  # a deadline for the last of them: so much, and this for each
# Members that die are soon missed, and leases soon over; and nothing is given up for being killed.
RESTLESS = {
    "group_session_seconds": 1.5,
    "claim_lanes": 1,
    "topic_partitions": 4,
    "database_statement_seconds": STATEMENT_SECONDS,
    "report_most_tries": 1_000,
    "report_workers": 1,
    **QUICK,
}
Schedule = Sequence[tuple[str, Random]]
Tell = Callable[[str], None]


@dataclass
class Result:
    """What one run did and found; the numbers are for the report."""

    faults: Counter[str]
    crash_points: Counter[str]
    kills: int
    packets: int  # that were lost
    workload: Workload
    seconds: float
    findings: list[str] = field(default_factory=list)


async def torture(
    broker: WiredBroker,
    server: PostgresServer,
    database_url: str,
    folder: Path,
    seed: int,
    size: Size,
    schedule: Schedule,
    program: Program = (PROGRAM,),
    tell: Tell = lambda _: None,
) -> Result:
    """`folder` is for files; `schedule` as `faults.schedule` makes it; `program` is what runs in
    place of `claim-analytics`."""
    began = time.monotonic()

    def say(what: str) -> None:
        tell(f"{time.monotonic() - began:6.0f} s  {what}")

    async with AsyncExitStack() as stack:
        wires = {
            "Kafka": await stack.enter_async_context(wire(broker.port, broker.wire_port)),
            "PostgreSQL": await stack.enter_async_context(wire(server.port)),
        }
        deployment = await _deployed(broker, _by(wires["PostgreSQL"], database_url), folder)
        stack.enter_context(temporary_files_in(folder / "temporary"))
        fleet = stack.enter_context(closing(Fleet(deployment, program=program)))
        workload = make_workload(deployment, seed, size)
        stage = Stage(deployment, broker, server, fleet, workload, wires, folder)
        fleet.mend()
        await _publish_beside(stage, schedule, size.seconds, say)
        say("all is published and broken; reading the rest")
        try:
            await _read_to_the_end(stage)
        except AssertionError as wrong:
            fleet.findings.append(f"reading the rest: {wrong}")
            fleet.kill_all()
        say("checking")
        found = await findings(stage)
    seconds = time.monotonic() - began
    kills, packets = fleet.kills, stage.packets
    return Result(stage.tally, fleet.met, kills, packets, workload, seconds, found)


def with_bugs(seed: int, *names: str) -> tuple[Size, Schedule, Program]:
    """What shows seeded bugs: a little of everything, and the faults that bring them out."""
    kinds: list[str] = []
    for name in names:
        kinds += [] if {*BUGS[name].faults} <= {*kinds} else BUGS[name].faults
    faults = [(fault, Random(f"{seed} {at}")) for at, fault in enumerate(kinds)]
    size = replace(TINY, seconds=max(BUGS[name].seconds for name in names))
    return size, faults, (sys.executable, seeded_bugs.__file__, ",".join(names))


async def _publish_beside(stage: Stage, schedule: Schedule, seconds: float, say: Tell) -> None:
    """A part of the workload beside each fault."""
    # Or it drops what the broker did not take in time.
    patient = {"enable_idempotence": True, "request_timeout_ms": int(1_000 * AGES)}
    async with producer(stage.deployment, **patient) as client:
        for part, (name, rng) in zip(stage.workload.split(len(schedule)), schedule, strict=True):
            say(f"{name}; {stage.fleet.kills} kills so far")
            publishing = asyncio.create_task(publish(client, part, seconds))
            try:
                stage.tally[await _break(stage, name, rng, say)] += 1
                await publishing
            finally:
                publishing.cancel()


async def _break(stage: Stage, name: str, rng: Random, say: Tell) -> str:
    """What the report calls it."""
    try:
        await FAULTS[name](stage, rng)
    except NotHere as lack:
        say(f"not done: {lack}")
        return f"{name}: not done"
    return name


def _by(wired: Wire, url: str) -> str:
    """The same database by the wire."""
    place = urlsplit(url)
    return place._replace(netloc=place.netloc.replace(f":{place.port}", f":{wired.port}")).geturl()


async def _deployed(broker: WiredBroker, database_url: str, folder: Path) -> Deployment:
    for name in ("store", "temporary"):
        (folder / name).mkdir()
    return await deploy_reports(
        broker.bootstrap_servers, database_url, folder / "store", settings=RESTLESS
    )


async def _read_to_the_end(stage: Stage) -> None:
    """Until nothing is under way: the letters are redriven once more, for a faulty decoder's."""
    fleet, deployment = stage.fleet, stage.deployment
    fleet.mend()
    await fleet.command(*RUN, "--drain")
    await fleet.command("dlq", "redrive", "--again", *SURELY)
    await fleet.command(*RUN, "--drain")
    of_the_living = [
        report_id
        for report_id, provider_id in stage.workload.reports.items()
        if str(provider_id) not in stage.erased
    ]
    least, each = REPORTS_SECONDS
    await all_told(deployment, len(of_the_living), least + each * len(of_the_living))
    await until_async(lambda: _nothing_is_to_expire(deployment), "reports to expire")
    await all_told(deployment, len(of_the_living))
    await fleet.stop()


async def _nothing_is_to_expire(deployment: Deployment) -> bool:
    """An erasure of a patient has let reports expire, which the next cleanup finds."""
    return not await rows(
        deployment,
        "SELECT FROM generated_reports"
        " WHERE status = 'ready' AND download_link_expires_at <= clock_timestamp()",
    )


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Processes that are started meanwhile have their temporary files there."""
    before = gettempdir()  # of this process, which keeps it
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        os.environ["TMPDIR"] = before
