"""`make soak`: half an hour at a steady rate; ends with 1 where something grows that must not."""

import argparse
import asyncio
import logging
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

from consumers.topics.claims import CLAIMS
from consumers.topics.suggestions import AI_SUGGESTIONS
from service.local.demo.environment import Clients, clients
from service.local.demo.upstream import Upstream
from service.local.simulator import Simulator
from service.local.stack import StackError
from tests import servers
from tests.harness.deployment import Deployment
from tests.harness.http import free_address, probe
from tests.harness.process import ServiceProcess, command
from tests.harness.reports import deploy_reports, request
from tests.harness.waiting import until_async
from tests.reliability.soak.bounds import Series, bounds, findings
from tests.reliability.soak.plots import write
from tests.reliability.soak.samples import Samples
from tests.reliability.torture.workload import KINDS

SAMPLE_SECONDS, REPORT_SECONDS = 10.0, 15.0
PROVIDERS, HISTORY, SEED = 50, 30_000, 11
# As an instance is in life, where tests would have it hasty.
AS_IN_LIFE = {
    "batch_max_events": 40_000,
    "group_session_seconds": 45,
    "log_level": "info",
    "retry_longest_pause_seconds": 30,
    "top_codes_seconds": 2,
    "topic_partitions": 6,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.soak")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=100, help="events a second")
    parser.add_argument("--out", type=Path, default=Path("soak"), help="a folder for CSV and plots")
    given = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        with (
            servers.own_kafka() as broker,
            servers.own_postgres() as server,
            servers.fresh_database(server.url) as url,
            TemporaryDirectory(prefix="claim-analytics-soak-") as folder,
        ):
            kafka = broker.bootstrap_servers
            series = asyncio.run(soak(kafka, url, Path(folder), given.minutes * 60, given.rate))
    except StackError as error:
        sys.exit(f"The servers cannot be started here: {error}")
    write(series, given.out)
    found = findings(series, bounds(given.rate))
    for each in found or ["What must be flat is flat."]:
        _say(each)
    return 1 if found else 0


async def soak(kafka: str, url: str, folder: Path, seconds: float, rate: float) -> Series:
    """The samples. Fails where the instance has not read all, or `verify` is not clean."""
    settings = AS_IN_LIFE | {"http_address": free_address()}
    deployment = await deploy_reports(kafka, url, folder, settings=settings)
    groups = [deployment.settings.group(topic.name) for topic in (CLAIMS, AI_SUGGESTIONS)]
    simulator = Simulator(SEED, PROVIDERS, datetime.now(UTC), 6)
    async with clients(deployment.settings) as given:
        upstream = Upstream(given, simulator, HISTORY)
        with ServiceProcess(deployment, "run") as service:
            await upstream.publish_profiles()
            await upstream.play_history()
            samples = Samples(deployment, service.pid, groups)
            await _all_read(samples, upstream)
            samples.series.clear()
            others = [
                asyncio.create_task(upstream.play_live(rate)),
                asyncio.create_task(_ask_for_reports(given, deployment, simulator)),
            ]
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                await samples.take(upstream.published)
                await probe(str(deployment.settings.http_address), "status")
                _tell(samples.series)
                await asyncio.wait(others, timeout=SAMPLE_SECONDS)
                assert service.running, service.output()[-3000:]
            for task in others:
                assert not task.done(), task
                task.cancel()
            await given.publishing.flush()
            series = {name: [*values] for name, values in samples.series.items()}
            await _all_read(samples, upstream)
            service.terminate()
            assert await service.ended() == 0
            assert service.strays() == []
    tally = simulator.tally
    _say(f"{upstream.published:,} messages, {tally.duplicates:,} duplicates")
    _say(await command(deployment, "verify"))
    return series


async def _all_read(samples: Samples, upstream: Upstream) -> None:
    async def read() -> bool:
        await samples.take(upstream.published)
        return samples.series["lag, messages"][-1] == 0

    await until_async(read, "the end of the topics", within=600)


async def _ask_for_reports(given: Clients, deployment: Deployment, simulator: Simulator) -> None:
    """One after the other, of several kinds."""
    rng = Random(SEED)
    for kind, file_format in cycle(KINDS):
        asked: dict[str, str | None] = {"report_type": kind, "format": file_format}
        if file_format == "ZIP":
            asked |= dict.fromkeys(("period_start", "period_end"))
        report_id = UUID(int=rng.getrandbits(128), version=4)
        provider_id = UUID(rng.choice(simulator.providers).provider_id)
        await given.publishing.send(request(deployment, report_id, provider_id, **asked))
        await asyncio.sleep(REPORT_SECONDS)  # the pace


def _tell(series: Series) -> None:
    shown = ("seconds", "memory, MB", "open files", "threads", "connections", "lag, messages")
    _say("  ".join(f"{name} {series[name][-1]:,.0f}" for name in shown))


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # it is a program


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
