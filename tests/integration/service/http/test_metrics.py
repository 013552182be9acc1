"""Faults that are staged, the scrape that shows them, and the alerts that fire on it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from consumers.engine.errors import ConsumerStopped
from consumers.telemetry import lag
from consumers.topics.claims import CLAIMS
from service.http.process import ServedProcess
from service.operations.refresh import refresh_all
from service.operations.standing import looking_at_kafka, standings
from service.runner import Service
from service.telemetry import fleet
from service.wiring import open_database
from tests.e2e.raw_batches import produce, with_undecodable_header
from tests.harness.deployment import PAID, SUBMITTED, Deployment
from tests.harness.http import http_client
from tests.harness.kafka import publish
from tests.harness.messages import message, nonsense, simulated
from tests.harness.promtool import MINUTES, assert_alerts, lasting, needs_promtool, series_of
from tests.harness.rows import connected
from tests.harness.waiting import until_async
from tests.integration.repositories.examples import paid

Told = Mapping[str, float]


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(fleet, "SHARE", 0)
    monkeypatch.setattr(fleet, "PATIENCE_SECONDS", 2.0)
    monkeypatch.setattr(lag, "ASK_AFTER_SECONDS", 1.0)


@asynccontextmanager
async def stopping_service(deployment: Deployment) -> AsyncIterator[Service]:
    """The consumers of claims, of which a partition stops: that is how it ends."""
    service = Service(deployment.settings, [CLAIMS])
    running = asyncio.create_task(service.run())
    yield service
    service.stop()
    with pytest.raises(ConsumerStopped):
        await running


def served(service: Service, deployment: Deployment) -> ServedProcess:
    return ServedProcess(deployment.settings, service.progress, pool_use=service.pool_use)


async def scrape(client: httpx.AsyncClient) -> Told:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return series_of(answer.text)


def of(name: str, topic: str, partition: int = 0) -> str:
    at = f'consumer="claims", partition="{partition}", topic="{topic}"'
    return f"claim_analytics_{name}{{{at}}}"


@needs_promtool
async def test_each_staged_fault_shows_in_a_scrape_and_fires_its_alert(
    deployment: Deployment, tmp_path: Path
) -> None:
    topic, stuck = deployment.topic(SUBMITTED), deployment.topic(PAID)
    load = simulated(deployment, 200).of(topic)
    good = message(deployment, paid("stuck"))
    for one in (good, with_undecodable_header(good), good):
        await produce(deployment, 0, [one])
    await publish(deployment, [*load.messages, *nonsense(deployment, 3)])
    async with stopping_service(deployment) as service:
        async with http_client(deployment.settings, served(service, deployment)) as client:

            async def all_is_there() -> Told | None:
                told = await scrape(client)
                letters = sum(v for k, v in told.items() if "dead_letters_open{" in k)
                late, *idle = (
                    told.get(of("partition_lag_messages", one, n))
                    for one in (stuck, topic)
                    for n in range(3)
                )
                stopped = told.get(of("partition_stopped", stuck))
                return told if letters == 3 and late == 2 and stopped and idle == [0] * 5 else None

            first, began = await until_async(all_is_there, "the faults in a scrape"), time.time()
            assert first is not None
            await _falsify_and_refresh(deployment)
            # Again: a group that comes together twice has no partitions for a moment.
            told = await until_async(all_is_there, "the faults in a scrape")
            assert told is not None
            seconds = time.time() - began
            await _agrees_with_offsets_show(deployment, told, stuck)
        refused = deployment.having(database_url="postgresql://nobody@127.0.0.1:1/none")
        async with http_client(refused.settings, served(service, refused)) as client:
            began = time.monotonic()
            away = await scrape(client)
            assert time.monotonic() - began < 3
    assert told[of("partition_lag_seconds", topic)] == 0  # idle by now
    late = of("partition_lag_seconds", stuck)
    assert told[late] - first[late] == pytest.approx(seconds, abs=1)  # it grows with the clock
    assert told['claim_analytics_repaired_rows{found_by="refresh"}'] >= 1
    assert away["claim_analytics_database_up"] == 0
    assert away[of("partition_stopped", stuck)] == 1
    staged = {"ClaimAnalyticsPartitionStopped", "ClaimAnalyticsLagging"}
    in_the_database = {"ClaimAnalyticsDeadLetters", "ClaimAnalyticsRepairedRows"}
    cases = [
        (_for_promtool(told, late), staged | in_the_database),
        (_for_promtool(away, late), staged | {"ClaimAnalyticsDatabaseAway"}),
    ]
    await asyncio.to_thread(assert_alerts, cases, tmp_path)


async def _falsify_and_refresh(deployment: Deployment) -> None:
    async with connected(deployment) as connection:
        await connection.execute(
            "UPDATE analytics_cache SET value = value || '{\"count\": 7777}'"
            " WHERE metric_key = 'claims_submitted' AND dimensions IS NULL"
            " AND period_start = (SELECT max(period_start) FROM analytics_cache"
            " WHERE metric_key = 'claims_submitted' AND period_start <= now())"
        )
    async with open_database(deployment.settings) as database:
        await refresh_all(database, "refresh", lambda *_: None, asyncio.Event())


async def _agrees_with_offsets_show(deployment: Deployment, told: Told, topic: str) -> None:
    async with (
        open_database(deployment.settings) as database,
        looking_at_kafka(deployment.settings) as kafka,
    ):
        [group] = await standings(kafka, database, {topic: deployment.group})
    for one in group.partitions:
        assert told[of("partition_lag_messages", topic, one.partition)] == one.lag
        seconds = told[of("partition_lag_seconds", topic, one.partition)]
        assert seconds == pytest.approx(one.lag_seconds, abs=10)


def _for_promtool(told: Told, late: str) -> dict[str, str]:
    """As if it stayed so, and `late` went on growing with the clock, as it was seen to."""
    ours = {name: value for name, value in told.items() if name.startswith("claim_analytics_")}
    return {name: lasting(value) for name, value in ours.items()} | {
        late: f"{told[late]}+60x{MINUTES + 5}"
    }


async def test_a_scraper_gets_openmetrics_if_it_asks_for_that(deployment: Deployment) -> None:
    async with http_client(deployment.settings) as client:
        text = await client.get("/metrics", headers={"accept": "text/html"})
        wanted = {"accept": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
        openmetrics = await client.get("/metrics", headers=wanted)
        odd = await client.get("/metrics", headers={"accept": "text/plain; version=none"})
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")
    assert odd.status_code == 200
    assert "claim_analytics_database_up 1.0" in text.text
