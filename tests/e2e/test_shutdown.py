"""SIGTERM in the middle of a backlog."""

import sys
from importlib.metadata import version
from pathlib import Path
from socket import gethostname

from tests.harness.deployment import PAID, Deployment
from tests.harness.kafka import committed, members, publish
from tests.harness.messages import simulated
from tests.harness.process import DRAIN, RUN, ServiceProcess, command
from tests.harness.rows import applied_events, assert_tables_equal_oracle, stored_offsets

# It hears SIGTERM before there is anything to stop.
TOLD_EARLY = """
import os, signal
from service.__main__ import main
from service.cli import run

def listen(address, listen=run.listen):
    os.kill(os.getpid(), signal.SIGTERM)
    return listen(address)

run.listen = listen
main()
"""


async def test_it_can_be_stopped_while_it_starts(deployment: Deployment, tmp_path: Path) -> None:
    script = tmp_path / "told_early.py"
    script.write_text(TOLD_EARLY)
    with ServiceProcess(deployment, *RUN, program=(sys.executable, script)) as process:
        assert await process.ended() == 0, process.output()
        [stopped] = process.log("stopped")
        assert stopped["why"] == "told to stop"
        assert process.strays() == []


async def test_it_finishes_its_batch_commits_it_leaves_and_exits_with_0(
    deployment: Deployment,
) -> None:
    load = simulated(deployment, 3_000)
    await publish(deployment, load.messages)
    with ServiceProcess(deployment, *RUN) as process:
        await process.logged("batch applied", times=2)
        process.terminate()
        assert await process.ended(within=30) == 0
        applied = process.count("applied") + process.count("stale")
        for name in ("messages", "applied", "stale", "duplicate", "cache_rows"):
            sums = [line[name] for line in process.log("batches applied")]
            assert sum(sums) == process.count(name)
        [started], [stopped] = process.log("started"), process.log("stopped")
        assert started["version"] == version("claim-analytics")
        assert started["settings"]["topic_claim_paid"] == deployment.topic(PAID)
        assert stopped["why"] == "told to stop"
        assert stopped["done"]["claims"]["messages"] == process.count("messages")
        assert {line["instance"] for line in process.log()} == {f"{gethostname()}:{process.pid}"}
    assert 0 < applied < len(load.events)
    assert await applied_events(deployment) == applied
    group = deployment.group
    assert await committed(deployment, group) == await stored_offsets(deployment, group)
    assert await members(deployment, group) == []
    await command(deployment, *DRAIN)
    await assert_tables_equal_oracle(deployment, load.events)
